package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// closedPort is where nobody listens: the discard service of RFC 863.
const closedPort = "http://127.0.0.1:9"

// retiredAfter is how many events the retired receiver still takes.
const retiredAfter = 5

// startReceivers serves the sample receivers on this machine until ctx ends,
// and gives the URL under which they stand.
func startReceivers(ctx context.Context) (base string, err error) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("start the sample receivers: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/crm/", within(5*time.Millisecond, 40*time.Millisecond, accept))
	mux.HandleFunc("/berlin/", within(10*time.Millisecond, 60*time.Millisecond, accept))
	mux.HandleFunc("/chat/", within(2*time.Millisecond, 15*time.Millisecond, accept))
	mux.HandleFunc("/billing/", within(10*time.Millisecond, 90*time.Millisecond, failSometimes))
	mux.HandleFunc("/archive/", within(5*time.Second, 7*time.Second, accept))
	var taken atomic.Int64
	mux.HandleFunc("/retired/", func(w http.ResponseWriter, r *http.Request) {
		if taken.Add(1) > retiredAfter {
			http.Error(w, `{"error":"this endpoint was retired"}`, http.StatusGone)
			return
		}
		accept(w, r)
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() { _ = server.Serve(socket) }() // until it is closed
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, func() { server.Close() }) })
	return "http://" + socket.Addr().String(), nil
}

// within answers after a time at random, or at once when the demo ends.
func within(least, most time.Duration, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-time.After(least + rand.N(most-least)):
		case <-r.Context().Done():
		}
		answer(w, r)
	}
}

func accept(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintln(w, `{"received":true}`)
}

// failSometimes fails a third of the requests, each in one of several ways.
func failSometimes(w http.ResponseWriter, r *http.Request) {
	switch n := rand.IntN(100); {
	case n < 14:
		http.Error(w, `{"error":"the ledger is locked"}`, http.StatusInternalServerError)
	case n < 22:
		http.Error(w, "upstream is not there", http.StatusBadGateway)
	case n < 27:
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many at once", http.StatusTooManyRequests)
	case n < 31:
		panic(http.ErrAbortHandler) // closes the connection without an answer
	default:
		accept(w, r)
	}
}
