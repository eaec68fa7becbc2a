package storetest

import "testing"

// OwnServer is a Postgres of one test's own, which the test may stop and start.
type OwnServer struct {
	// Database is empty, without a schema. Its URL stays while the server is
	// away.
	Database Database
	t        testing.TB
	server   *server
}

// OwnPostgres starts a Postgres that ends with the test. Its files are in a new
// folder below parent, whose path has to be short and open to others; empty:
// where temporary files are. Where PostgreSQL is not installed the test ends as
// with Postgres.
func OwnPostgres(t testing.TB, parent string) *OwnServer {
	t.Helper()
	s, err := startServer(t.Context(), parent, hasty())
	if err != nil {
		unavailable(t, err)
	}
	t.Cleanup(func() {
		_ = s.lifeline.Close()
		_ = s.hear("") // until the keeper has removed the folder
	})
	return &OwnServer{Database{KindPostgres, s.url("postgres"), t.TempDir()}, t, s}
}

// Stop ends the server in order: transactions under way are rolled back and
// connections closed.
func (o *OwnServer) Stop() { o.order("stop") }

// Crash ends the server at once, as a fault of its own would.
func (o *OwnServer) Crash() { o.order("crash") }

// Start starts the server again after Stop, Crash or its own end, and waits
// until it accepts connections.
func (o *OwnServer) Start() { o.order("start") }

func (o *OwnServer) order(word string) {
	o.t.Helper()
	if err := o.server.order(word); err != nil {
		o.t.Fatalf("%s the private Postgres: %v", word, err)
	}
}
