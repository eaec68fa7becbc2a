package views

import (
	"strings"
	"testing"
)

func TestAFaultOfAChoiceIsToldWithTheChoice(t *testing.T) {
	html, err := render(t.Context(), RadioCards(CardsView{Name: "which", Legend: "Events", Error: "Choose one at least."}))
	if err != nil || !strings.Contains(html, `aria-describedby="which-error"`) || !strings.Contains(html, `id="which-error"`) {
		t.Errorf("%s (%v)", html, err)
	}
}

func TestWhatIsWrongWithAFieldTakesThePlaceOfItsHint(t *testing.T) {
	f := FieldView{Name: "password", Label: "Password", Hint: "12 characters or more."}
	for fault, want := range map[string]string{"": "password-hint", "Must have 12 characters or more.": "password-error"} {
		f.Error = fault
		html, err := render(t.Context(), TextField(f))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(html, "12 characters or more") != 1 || !strings.Contains(html, `aria-describedby="`+want+`"`) || !strings.Contains(html, `id="`+want+`"`) {
			t.Errorf("with the fault %q: %s", fault, html)
		}
	}
}
