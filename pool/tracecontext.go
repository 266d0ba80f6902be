package pool

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"

	"github.com/stint-go/stint/runtime/worker"
)

// The trace context of OpenTelemetry travels with tasks if the program has set a
// propagator (otel.SetTextMapPropagator) before it submits them. A worker process
// reads it by its own, if one was set before Main, and otherwise as W3C trace
// context and baggage.
func init() {
	registerCarrier(&carrier{name: "otel", place: "package pool", pack: packTrace, unpack: unpackTrace})
}

var w3c = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})

func packTrace(ctx context.Context) (data []byte, err error) {
	propagator := otel.GetTextMapPropagator()
	if len(propagator.Fields()) == 0 {
		return nil, nil // none was set
	}
	defer recoverInto(&err)
	fields := propagation.MapCarrier{}
	propagator.Inject(ctx, fields)
	if len(fields) == 0 {
		return nil, nil
	}
	return worker.Marshal(map[string]string(fields))
}

func unpackTrace(ctx context.Context, data []byte) (_ context.Context, err error) {
	defer recoverInto(&err)
	propagator := otel.GetTextMapPropagator()
	if len(propagator.Fields()) == 0 {
		propagator = w3c
	}
	var fields map[string]string
	if err := worker.Unmarshal(data, &fields); err != nil {
		return ctx, err
	}
	return propagator.Extract(ctx, propagation.MapCarrier(fields)), nil
}
