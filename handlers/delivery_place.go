package handlers

import (
	"context"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
)

// deliveryPlace is what stands in the address of a delivery's page: the filters
// of the log that led there, the attempt chosen and the one beside it, and
// whether bodies are shown raw, and all of long ones.
type deliveryPlace struct {
	id            uuid.UUID
	list          logFilter
	attempt, with int // 0: none
	raw, all      bool
}

func readDeliveryPlace(c echo.Context, id uuid.UUID) deliveryPlace {
	p := deliveryPlace{id: id, list: readLogFilter(c), raw: c.QueryParam("body") == "raw", all: c.QueryParam("all") != ""}
	p.attempt, _ = strconv.Atoi(c.QueryParam("attempt"))
	p.with, _ = strconv.Atoi(c.QueryParam("with"))
	return p
}

func (p deliveryPlace) address() string {
	q := p.list.query()
	for name, number := range map[string]int{"attempt": p.attempt, "with": p.with} {
		if number > 0 {
			q.Set(name, strconv.Itoa(number))
		}
	}
	if p.raw {
		q.Set("body", "raw")
	}
	if p.all {
		q.Set("all", "1")
	}
	return withQuery(deliveryPath(p.id), q)
}

// of is the place with another attempt chosen, and none beside it.
func (p deliveryPlace) of(attempt int) deliveryPlace {
	p.attempt, p.with = attempt, 0
	return p
}

// beside is the place with another attempt beside the chosen one.
func (p deliveryPlace) beside(attempt, with int) deliveryPlace {
	p.attempt, p.with = attempt, with
	return p
}

func (p deliveryPlace) bodies(raw bool) deliveryPlace {
	p.raw = raw
	return p
}

// whole is the address of the page with all of its bodies; empty where it is that.
func (p deliveryPlace) whole() string {
	if p.all {
		return ""
	}
	p.all = true
	return p.address()
}

// resend is where the form posts that sends the delivery again.
func (p deliveryPlace) resend() string {
	return withQuery(deliveryPath(p.id)+"/resend", p.list.query())
}

// ask is the page with the question open.
func (p deliveryPlace) ask() string {
	q := p.list.query()
	q.Set("confirm", "resend")
	return withQuery(deliveryPath(p.id), q)
}

// neighbours leads to the deliveries next to this one in the list it came from.
func (h *Handlers) neighbours(ctx context.Context, account uuid.UUID, p deliveryPlace, now time.Time) (newer, older views.NeighbourView, err error) {
	ask, err := p.list.filter(now)
	if err != nil {
		return newer, older, err
	}
	after, before, err := h.store.Neighbours(ctx, account, ask, p.id)
	return p.neighbour(after, "after", "This is the newest"), p.neighbour(before, "before", "This is the oldest"), err
}

func (p deliveryPlace) neighbour(n store.Neighbour, cursor, end string) views.NeighbourView {
	switch {
	case n.ID != uuid.Nil:
		next := p.of(0)
		next.id = n.ID
		return views.NeighbourView{Href: next.address()}
	case n.Searched != uuid.Nil:
		return views.NeighbourView{Href: p.list.address(logsPath, cursor, n.Searched.String()), Beyond: true}
	}
	if p.list.set() {
		end += " of these filters"
	}
	return views.NeighbourView{End: end}
}

// logHref leads back to the log as it was filtered.
func (p deliveryPlace) logHref() string { return withQuery(logsPath, p.list.query()) }

// bodyChoices are the two ways to show a body.
func bodyChoices(pretty, asSent string, raw bool) []views.Choice {
	return []views.Choice{{Label: "Pretty", Href: pretty, Current: !raw}, {Label: "Raw", Href: asSent, Current: raw}}
}
