package web

import (
	"fmt"
	"strings"
	"testing"
)

type boundedItem struct {
	Name string `json:"name"`
}

func TestABoundedArrayKeepsOneItemMoreThanItMayHave(t *testing.T) {
	for sent, kept := range map[int]int{0: 0, 1: 1, 3: 3, 4: 4, 5: 4, 1000: 4} {
		list := Bounded[boundedItem]{Most: 3}
		body := "[" + strings.TrimSuffix(strings.Repeat(`{"name":"a"}, `, sent), ", ") + "]"
		if err := ParseJSON([]byte(body), &list); err != nil || len(list.Items) != kept {
			t.Errorf("%d items: kept %d of them, want %d; error %v", sent, len(list.Items), kept, err)
		}
	}
}

func TestABoundedArrayTakesNoMemoryForWhatItDrops(t *testing.T) {
	body := []byte("[" + strings.Repeat(`{},`, 100_000) + "{}]")
	objects := testing.AllocsPerRun(1, func() {
		list := Bounded[boundedItem]{Most: 3}
		if err := ParseJSON(body, &list); err != nil {
			t.Error(err)
		}
	})
	if objects > 1000 {
		t.Errorf("%v objects were made for items that nobody wants", objects)
	}
}

func TestABoundedArrayIsAsStrictAsAnyOther(t *testing.T) {
	for body, want := range map[string]string{
		`{}`:                             "422 ",
		`[1]`:                            "422 [0]",
		`[{"name":"a"},{"nome":"a"}]`:    "422 [1].nome",
		`[{"name":1}]`:                   "422 [0].name",
		`[{"name":"a","name":"b"}]`:      "422 [0].name",
		`[{"name":"a"}`:                  "400 ",
		`[{"name":"a"}}`:                 "400 ",
		`[{"name":"a"},]`:                "400 ",
		`[] []`:                          "400 ",
		`[{},{},{},{},{},{"a":1,"a":2}]`: "422 [5].a",
	} {
		list := Bounded[boundedItem]{Most: 3}
		err := ParseJSON([]byte(body), &list)
		got := fmt.Sprint(StatusOf(err), " ")
		if refused, ok := err.(*Error); ok && len(refused.Fields) > 0 {
			got += refused.Fields[0].Field
		}
		if err == nil || got != want {
			t.Errorf("%s: %q (%v), want %q", body, got, err, want)
		}
	}
	list := Bounded[boundedItem]{Most: 3}
	if err := ParseJSON([]byte("null"), &list); err != nil || len(list.Items) != 0 {
		t.Errorf("null: %v, %v", list.Items, err)
	}
}
