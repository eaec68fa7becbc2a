package views

import (
	"slices"
	"testing"
	"time"
)

func TestAStepOfAChartWithNoneBesideItIsSeen(t *testing.T) {
	at, none := Point{P50: 50 * time.Millisecond}, Point{None: true}
	l := LinesView{Points: []Point{none, at, none, at, at}}
	got := l.line("p50", p50)
	y := px(lineY(at.P50, l.top()))
	alone, beside := px(200)+","+y+" "+px(400)+","+y, px(700)+","+y+" "+px(900)+","+y
	if want := []string{alone, beside}; !slices.Equal(got.stretches, want) {
		t.Errorf("lines %q, want %q", got.stretches, want)
	}
	if want := []string{px(300) + "," + y + " " + px(700) + "," + y}; !slices.Equal(got.bridge, want) {
		t.Errorf("bridges %q, want %q", got.bridge, want)
	}
}
