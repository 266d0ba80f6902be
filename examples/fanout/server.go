package main

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// server is an HTTP server on loopback.
type server struct {
	url  string
	stop func()
}

// startServer starts a server that answers after as many milliseconds as the
// query asks for.
func startServer(scale float64) (*server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h := &http.Server{Handler: slow(scale)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = h.Serve(listener) // until stop
	}()
	return &server{
		url:  "http://" + listener.Addr().String(),
		stop: func() { _ = h.Close(); <-ended },
	}, nil
}

func slow(scale float64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ms, err := strconv.Atoi(r.URL.Query().Get("ms"))
		if err != nil || ms < 0 {
			http.Error(w, fmt.Sprintf("cannot answer after %d ms", ms), http.StatusBadRequest)
			return
		}
		select {
		case <-time.After(milliseconds(ms, scale)):
			fmt.Fprintf(w, "answered after %d ms", ms)
		case <-r.Context().Done(): // nobody waits for it any more
		}
	}
}
