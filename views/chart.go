package views

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// chartHeight is the height of a chart's plot in px; the labels stand outside of it.
const chartHeight = 150

// Bar is one hour (or other step) of attempts.
type Bar struct {
	Label     string // "14:00"
	Good, Bad int
}

// BarsView is a chart of attempts by outcome, oldest first.
type BarsView struct {
	Bars []Bar
	Unit string // what is counted, for the sentence: "attempts"
	Over string // the time covered, for the sentence: "24 h"
	Step string // the time that one bar covers, for the sentence: "hour"
}

// Point is one step of response times. A step without attempts has none.
type Point struct {
	Label         string
	P50, P95, P99 time.Duration
	None          bool
}

// words are the three times as they stand in a table.
func (p Point) words() []string {
	if p.None {
		return []string{"–", "–", "–"}
	}
	return []string{Duration(p.P50), Duration(p.P95), Duration(p.P99)}
}

// LinesView is a chart of response times, oldest first.
type LinesView struct {
	Points []Point
	Limit  time.Duration // the time limit, dotted
	Over   string
}

func (b BarsView) totals() (good, bad, most int) {
	for _, bar := range b.Bars {
		good, bad = good+bar.Good, bad+bar.Bad
		most = max(most, bar.Good+bar.Bad)
	}
	return good, bad, most
}

// sentence says what the chart shows, for those who can't see it.
func (b BarsView) sentence() string {
	good, bad, most := b.totals()
	if good+bad == 0 {
		return "No " + b.Unit + " in " + b.Over + "."
	}
	text := fmt.Sprintf("%s %s in %s: %s answered 2xx, %s failed; at most %s in one %s",
		Count(good+bad), b.Unit, b.Over, Count(good), Count(bad), Count(most), orWord(b.Step, "step"))
	if worst := b.worst(); worst.Bad > 0 {
		text += fmt.Sprintf(", most failures at %s: %s", worst.Label, Count(worst.Bad))
	}
	return text + "."
}

// worst is the bar with the most failures, the last of several.
func (b BarsView) worst() (worst Bar) {
	for _, bar := range b.Bars {
		if bar.Bad >= worst.Bad {
			worst = bar
		}
	}
	return worst
}

func orWord(word, otherwise string) string {
	if word == "" {
		return otherwise
	}
	return word
}

func (l LinesView) empty() bool {
	for _, point := range l.Points {
		if !point.None {
			return false
		}
	}
	return true
}

func (l LinesView) last() Point {
	for i := len(l.Points) - 1; i >= 0; i-- {
		if !l.Points[i].None {
			return l.Points[i]
		}
	}
	return Point{}
}

func (l LinesView) sentence() string {
	if l.empty() {
		return "No answers in " + l.Over + "."
	}
	last := l.last()
	return fmt.Sprintf("Response times in %s: last p50 %s, p95 %s, p99 %s; the limit is %s.",
		l.Over, Duration(last.P50), Duration(last.P95), Duration(last.P99), Duration(l.Limit))
}

// limitSeen is how much of the limit the slowest answer must take for the limit to be on the chart: below it the lines would
// lie on the base.
const limitSeen = 0.2

// showsLimit says whether the limit is on the chart, or far above it.
func (l LinesView) showsLimit() bool { return l.slowest() >= limitSeen*l.Limit.Seconds() }

func (l LinesView) slowest() (most float64) {
	for _, point := range l.Points {
		if !point.None {
			most = max(most, point.P99.Seconds())
		}
	}
	return most
}

// top is the value at the chart's upper edge: the limit with room above, or more where a time went over it; where all answers
// are far below it, the slowest with room above.
func (l LinesView) top() float64 {
	if l.showsLimit() {
		return niceTop(max(l.Limit.Seconds()*1.1, l.slowest()))
	}
	return niceTop(max(l.slowest()*1.1, 0.003))
}

// niceTop rounds up to a value that three grid lines divide into round numbers.
func niceTop(most float64) float64 {
	if most <= 0 {
		return 3
	}
	unit := math.Pow(10, math.Floor(math.Log10(most/3)))
	for _, step := range []float64{1, 2, 4, 5, 10} {
		if 3*step*unit >= most {
			return 3 * step * unit
		}
	}
	return 30 * unit
}

// gridLine is one horizontal line and its label.
type gridLine struct {
	y     string
	label string
}

// gridLines are the base line and three above it.
func gridLines(top float64, label func(float64) string) []gridLine {
	out := make([]gridLine, 4)
	for i := range out {
		out[i] = gridLine{y: px(chartHeight - float64(i)*chartHeight/3), label: label(top * float64(i) / 3)}
	}
	return out
}

func countLabel(v float64) string {
	if v != math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return Count(int(v))
}

// secondsLabels writes the seconds of an axis that ends at top, all in the same unit.
func secondsLabels(top float64) func(float64) string {
	return func(v float64) string {
		switch {
		case v == 0:
			return "0"
		case top >= 1 && top < 60:
			return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) + " s"
		}
		return Duration(time.Duration(v * float64(time.Second)).Round(100 * time.Microsecond))
	}
}

// rect is a shape in a chart, in SVG attribute values.
type rect struct {
	x, y, width, height string
}

// column places one bar: failures on the base line, the others above them with a gap of 1 px.
func column(i, n int, bar Bar, top float64, height float64) (good, bad rect) {
	slot := 100 / float64(n)
	x, width := percent(slot*float64(i)+slot*0.08), percent(slot*0.84)
	badHeight := height * float64(bar.Bad) / top
	goodHeight := height * float64(bar.Good) / top
	gap := 0.0
	if bar.Bad > 0 {
		badHeight, gap = max(badHeight, 1.5), 1
	}
	if bar.Good > 0 {
		goodHeight = max(goodHeight-gap, 1.5)
	}
	bad = rect{x, px(height - badHeight), width, px(badHeight)}
	good = rect{x, px(max(height-badHeight-gap-goodHeight, 0)), width, px(goodHeight)}
	return good, bad
}

// axisLabel is a word below the plot; its x is a percentage.
type axisLabel struct {
	x, anchor, word string
}

// axisLabels names the first step, "now" at the end, and a quarter, half and three quarters between them.
func axisLabels(labels []string) []axisLabel {
	n := len(labels)
	if n == 0 {
		return nil
	}
	out := []axisLabel{{"0%", "start", labels[0]}, {"100%", "end", "now"}}
	for quarter := 1; quarter < 4 && n >= 4; quarter++ {
		i := n * quarter / 4
		out = append(out, axisLabel{percent(100 * (float64(i) + 0.5) / float64(n)), "middle", labels[i]})
	}
	return out
}

func (b BarsView) labels() []string {
	out := make([]string, len(b.Bars))
	for i, bar := range b.Bars {
		out[i] = bar.Label
	}
	return out
}

func (l LinesView) labels() []string {
	out := make([]string, len(l.Points))
	for i, point := range l.Points {
		out[i] = point.Label
	}
	return out
}

// line is what is drawn of one percentile, as SVG points on a plane 1000 wide: its stretches over steps with answers, and
// the bridges over those without.
type line struct {
	class             string
	stretches, bridge []string
}

func (l LinesView) line(class string, value func(Point) time.Duration) line {
	out, top, last, step := line{class: class}, l.top(), -1, 1000/float64(len(l.Points))
	at := func(i int, x float64) string {
		return px(step*(float64(i)+x)) + "," + px(lineY(value(l.Points[i]), top))
	}
	var stretch []string
	end := func() {
		if len(stretch) == 1 { // with no step beside it, it is as wide as its step
			stretch = []string{at(last, 0), at(last, 1)}
		}
		if len(stretch) > 0 {
			out.stretches = append(out.stretches, strings.Join(stretch, " "))
		}
		stretch = nil
	}
	for i, point := range l.Points {
		if point.None {
			continue
		}
		if last >= 0 && last < i-1 {
			end()
			out.bridge = append(out.bridge, at(last, 0.5)+" "+at(i, 0.5))
		}
		stretch, last = append(stretch, at(i, 0.5)), i
	}
	end()
	return out
}

func lineY(d time.Duration, top float64) float64 {
	return chartHeight * (1 - d.Seconds()/top)
}

func p50(p Point) time.Duration { return p.P50 }
func p95(p Point) time.Duration { return p.P95 }
func p99(p Point) time.Duration { return p.P99 }

// endLabel is a line's name and last value at the plot's right.
type endLabel struct {
	y, name, value string
}

// endLabels keeps the three names 14 px apart, however close the lines end.
func (l LinesView) endLabels() []endLabel {
	last, top := l.last(), l.top()
	ys := []float64{lineY(last.P99, top), lineY(last.P95, top), lineY(last.P50, top)}
	for i := 1; i < len(ys); i++ {
		ys[i] = max(ys[i], ys[i-1]+14)
	}
	for i := len(ys) - 1; i >= 0; i-- {
		ys[i] = min(ys[i], chartHeight-14*float64(len(ys)-1-i))
	}
	return []endLabel{
		{px(ys[0] + 4), "p99", Duration(last.P99)},
		{px(ys[1] + 4), "p95", Duration(last.P95)},
		{px(ys[2] + 4), "p50", Duration(last.P50)},
	}
}

func px(v float64) string      { return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) }
func percent(v float64) string { return px(v) + "%" }

// sparkColumn places one bar of a sparkline in px.
func sparkColumn(i int, bar Bar, most int) (good, bad rect) {
	good, bad = column(0, 1, bar, float64(most), 24)
	good.x = px(float64(i) * 4.5)
	bad.x = good.x
	return good, bad
}
