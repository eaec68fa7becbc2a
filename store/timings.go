package store

import (
	"slices"
	"time"
)

// timings gathers slots: outcomes, error kinds and response times.
type timings struct {
	ok, failed   int64
	buckets      map[int]int64
	byKind       map[kindKey]*KindCount
	firstFailure Time
}

type kindKey struct {
	kind string
	code int
}

// KindCount is one kind of failure (a status with its code) and how often it
// happened.
type KindCount struct {
	Kind   string
	Code   int // 0 unless an answer came
	Count  int64
	LastAt Time
}

func newTimings() *timings {
	return &timings{buckets: map[int]int64{}, byKind: map[kindKey]*KindCount{}}
}

func (t *timings) add(l *slot) {
	t.ok += l.ok
	t.failed += l.failed
	for _, b := range l.buckets {
		t.buckets[b.step] += b.count
	}
	if start := (Time{fromMicros(l.start)}); l.failed > 0 && (t.firstFailure.IsZero() || start.Before(t.firstFailure.Time)) {
		t.firstFailure = start
	}
	for i := range l.kinds {
		t.addKind(&l.kinds[i])
	}
}

func (t *timings) addKind(more *KindCount) {
	key := kindKey{more.Kind, more.Code}
	k := t.byKind[key]
	if k == nil {
		k = &KindCount{Kind: more.Kind, Code: more.Code}
		t.byKind[key] = k
	}
	k.Count += more.Count
	if more.LastAt.After(k.LastAt.Time) {
		k.LastAt = more.LastAt
	}
}

// kinds lists the failures, most frequent first.
func (t *timings) kinds() []KindCount {
	list := make([]KindCount, 0, len(t.byKind))
	for _, k := range t.byKind {
		list = append(list, *k)
	}
	slices.SortFunc(list, func(a, b KindCount) int {
		if a.Count != b.Count {
			return int(b.Count - a.Count)
		}
		return int(b.LastAt.Sub(a.LastAt.Time))
	})
	return list
}

// percentile reads a response time from the histogram, straight between the
// ends of the step that holds it; 0 where nothing was answered.
func (t *timings) percentile(p int64) time.Duration {
	var total int64
	for _, n := range t.buckets {
		total += n
	}
	if total == 0 {
		return 0
	}
	rank, seen := max(1, (total*p+99)/100), int64(0)
	for _, step := range sortedKeys(t.buckets, func(a, b int) int { return a - b }) {
		n := t.buckets[step]
		if seen+n < rank {
			seen += n
			continue
		}
		low := time.Duration(0)
		if step > 0 {
			low = bucketEnd(step - 1)
		}
		return low + (bucketEnd(step)-low)*time.Duration(rank-seen)/time.Duration(n)
	}
	return 0
}
