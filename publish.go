package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"belfry/store"
	"belfry/web"
)

// maxPublished bounds what is read of a file or of standard input; the limit of
// an event's data is the store's to say.
const maxPublished = 32 << 20

func preparePublish(p *program, flags *flagSet) action {
	account := accountFlag(flags)
	event := flags.String("event", "", "the event's `type`, such as call.ended")
	data := flags.String("data", "", "its data, a `JSON` object; @file reads a file, - standard input; empty: the sample of the type")
	agent := flags.String("agent", "", "`who` it is about; empty: the data's agent_id, if there is one")
	flags.require("event")
	return func(ctx context.Context, c *config) error {
		given, err := p.readData(*data)
		if err != nil {
			return err
		}
		if err := mustHaveDatabase(c); err != nil {
			return err
		}
		return p.withAccount(ctx, c, *account, func(st *store.Store, a store.Account) error {
			if given == nil {
				given = sampleOf(ctx, st, a, *event)
			}
			news, err := newType(ctx, st, a, *event)
			if err != nil {
				return err
			}
			e := store.NewEvent{Type: *event, Data: given, AgentID: *agent}
			accepted, _, err := st.Publish(ctx, store.Publication{AccountID: a.ID, Events: []store.NewEvent{e}})
			if err != nil {
				return err
			}
			fmt.Fprint(p.stderr, news)
			return json.NewEncoder(p.stdout).Encode(accepted[0])
		})
	}
}

// newType says that a type was not known so far, and which one may be meant;
// empty where it is known.
func newType(ctx context.Context, st *store.Store, a store.Account, name string) (string, error) {
	known, err := st.EventTypes(ctx, a.ID)
	if err != nil {
		return "", err
	}
	names := make([]string, len(known))
	for i, e := range known {
		if names[i] = e.Name; e.Name == name {
			return "", nil
		}
	}
	news := name + " is a new event type; the catalogue has it now"
	if nearest := store.Suggest(name, names); nearest != "" {
		news += "; did you mean " + nearest + "?"
	}
	return news + "\n", nil
}

// readData gives the data that the flag names, nil where it names none. It is
// as strict as the API.
func (p *program) readData(from string) (data []byte, err error) {
	name, isFile := strings.CutPrefix(from, "@")
	switch {
	case from == "":
		return nil, nil
	case from == "-":
		data, err = io.ReadAll(io.LimitReader(p.stdin, maxPublished))
	case isFile:
		data, err = os.ReadFile(name)
	default:
		data = []byte(from)
	}
	if err != nil {
		return nil, fmt.Errorf("read the data: %w", err)
	}
	var object json.RawMessage
	var refused *web.Error
	if err := web.ParseJSON(data, &object); errors.As(err, &refused) {
		return nil, refusedData(refused)
	} else if err != nil {
		return nil, fmt.Errorf("the data is not a JSON object: %w", err)
	}
	return object, nil
}

// refusedData says of the flag what the API would say of a body.
func refusedData(refused *web.Error) error {
	if rest, ok := strings.CutPrefix(refused.Detail, "The body "); ok {
		return errors.New("-data " + rest)
	}
	return errors.New("-data is refused: " + refused.Detail)
}

// sampleOf gives the sample of a type, or an empty object.
func sampleOf(ctx context.Context, st *store.Store, a store.Account, name string) []byte {
	known, err := st.EventType(ctx, a.ID, name)
	if err != nil || known.Sample == nil {
		return []byte("{}")
	}
	return known.Sample
}
