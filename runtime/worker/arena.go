package worker

import (
	"os"
	"sync/atomic"
	"unsafe"
)

// LargePayload is the size in bytes from which a payload is copied into memory that
// host and worker share, instead of through the channel. Below it there is nothing to
// win: the channel copies from buffers that the caches hold.
const LargePayload = 1 << 20

// arena is that memory: two halves, and a table for the second.
//
//	┌ table ┬ arguments: the host's to give ┬ results: the worker's to give ┐
//
// Each half has a space, which is kept by whose it is, in memory of his own: nobody
// depends on what the other may write here. The one exception is the table, by
// which the host gives back a region of the worker's half. The host never reads it,
// nor the half of the arguments.
type arena struct {
	mapping   []byte
	table     *regionTable
	arguments []byte
	results   []byte
}

// regionTable says of each region of the results whether it is taken. The worker
// takes it, by storing 1, and whoever gives it back stores 0: the host, if the region
// was told, else the worker.
type regionTable [maxRegions]atomic.Uint32

// maxRegions is how many results there can be in the arena.
const maxRegions = 256

const _ = uint(pageSize - unsafe.Sizeof(regionTable{})) // it fits into one page

// arenaSize returns the size of an arena that has about so many bytes for payloads;
// 0: that is too little for one.
func arenaSize(payloads int) int {
	page := os.Getpagesize()
	half := payloads / 2 / page * page
	if half < LargePayload {
		return 0
	}
	return page + 2*half
}

// arenaOffset is where the arena begins in the file that host and worker share.
func arenaOffset() int {
	page := os.Getpagesize()
	return (sharedSize + page - 1) / page * page
}

// arenaIn returns the arena of a mapping whose size is of arenaSize.
func arenaIn(mapping []byte) arena {
	page := os.Getpagesize()
	half := (len(mapping) - page) / 2
	return arena{
		mapping:   mapping,
		table:     (*regionTable)(unsafe.Pointer(unsafe.SliceData(mapping))),
		arguments: mapping[page : page+half : page+half],
		results:   mapping[page+half:],
	}
}

// pages rounds a size up to whole pages.
func pages(size int) int {
	page := os.Getpagesize()
	return (size + page - 1) / page * page
}

// touched is how far a half has been made to have pages: before memory is written to
// first, its pages are made in one call, which is quicker than to fault them in one
// by one, and tells where there are none to be had, which a fault does by SIGBUS.
type touched struct{ end atomic.Int64 }

// extend sees to it that there are pages up to end.
func (t *touched) extend(half []byte, end int) error {
	from := int(t.end.Load())
	if end <= from {
		return nil
	}
	if err := populate(half[from:end]); err != nil {
		return err
	}
	for now := int64(from); now < int64(end) && !t.end.CompareAndSwap(now, int64(end)); now = t.end.Load() {
	}
	return nil
}
