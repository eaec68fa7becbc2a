package worker

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// The administrator's connection to the private Postgres lasts as long as the
// process; a store that stays open shows by its other goroutines.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener")); err != nil {
			println(err.Error())
			code = 1
		}
	}
	os.Exit(code)
}
