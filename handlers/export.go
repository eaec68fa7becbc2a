package handlers

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/web"
)

const (
	logsExportPath   = logsPath + "/export"
	eventsExportPath = eventsPath + "/export"
)

// exportDeliveries sends all deliveries that the filters match as a file.
func (h *Handlers) exportDeliveries(c echo.Context) error {
	f, data := readLogFilter(c, "format", "data"), c.QueryParam("data") == "1"
	ask, err := f.filter(h.opt.Now())
	if err != nil {
		return err
	}
	if err := f.Unknown.err(); err != nil {
		return err
	}
	account := personOf(c).Account.ID
	return h.export(c, "deliveries", deliveryCells(nil, data), func(ctx context.Context, out exportRows) error {
		return h.store.ExportDeliveries(ctx, account, ask, data, writeRows(out, deliveryCells, data))
	})
}

// exportEvents sends all events that the filters match as a file.
func (h *Handlers) exportEvents(c echo.Context) error {
	f, data := readEventFilter(c, "format", "data"), c.QueryParam("data") == "1"
	if err := f.unknown.err(); err != nil {
		return err
	}
	ask := f.filter(h.opt.Now())
	account := personOf(c).Account.ID
	return h.export(c, "events", eventCells(nil, data), func(ctx context.Context, out exportRows) error {
		return h.store.ExportEvents(ctx, account, ask, writeRows(out, eventCells, data))
	})
}

// writeRows writes what is read into a file, with data where that is asked for,
// and sends it off: whoever waits for the first match of a long log has the head.
func writeRows[T any](out exportRows, cells func(of *T, data bool) []cell, data bool) func([]T) error {
	return func(part []T) error {
		for i := range part {
			if err := out.row(cells(&part[i], data)); err != nil {
				return err
			}
		}
		return out.flush()
	}
}

// export sends rows in the format that is asked for, as they are read.
func (h *Handlers) export(c echo.Context, what string, columns []cell, each func(ctx context.Context, out exportRows) error) error {
	format, types := c.QueryParam("format"), map[string]string{"csv": "text/csv; charset=utf-8", "json": "application/json"}
	if types[format] == "" {
		return &web.Error{Status: http.StatusUnprocessableEntity, Code: "invalid", Detail: "An export is made as csv or as json: say which with format."}
	}
	name := "belfry-" + what + "-" + h.opt.Now().UTC().Format("2006-01-02-150405") + "." + format
	return web.Download(c, name, types[format], func(ctx context.Context, w *bufio.Writer) error {
		var out exportRows = &jsonRows{w: w}
		if format == "csv" {
			out = &csvRows{w: csv.NewWriter(w), out: w}
		}
		if err := out.begin(columns); err != nil {
			return err
		}
		if err := each(ctx, out); err != nil {
			return err
		}
		return out.end()
	})
}

// exportRows writes rows into a file: begin its head, flush sends off what is
// written.
type exportRows interface {
	begin(columns []cell) error
	row(cells []cell) error
	flush() error
	end() error
}

// cell is a value of a row under the name of its column; nil is nothing.
type cell struct {
	name  string
	value any
}

// csvRows writes a table as spreadsheets read it.
type csvRows struct {
	w     *csv.Writer
	out   *bufio.Writer // below w
	texts []string
}

func (t *csvRows) begin(columns []cell) error {
	t.texts = t.texts[:0]
	for _, column := range columns {
		t.texts = append(t.texts, column.name)
	}
	return t.w.Write(t.texts)
}

func (t *csvRows) row(cells []cell) error {
	t.texts = t.texts[:0]
	for _, c := range cells {
		t.texts = append(t.texts, harmless(textOf(c.value)))
	}
	return t.w.Write(t.texts)
}

func (t *csvRows) flush() error {
	t.w.Flush()
	if err := t.w.Error(); err != nil {
		return err
	}
	return t.out.Flush()
}

func (t *csvRows) end() error { return t.flush() }

// harmless keeps a spreadsheet from taking a text for a formula.
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func textOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case uuid.UUID:
		return v.String()
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case json.RawMessage:
		return string(v)
	}
	return ""
}

// jsonRows writes one array of objects.
type jsonRows struct {
	w     *bufio.Writer
	begun bool
}

func (a *jsonRows) begin([]cell) error { return a.w.WriteByte('[') }

// flush sends an empty line where no row came since the last one: that says as
// much as nothing, and no proxy takes the answer for stuck.
func (a *jsonRows) flush() error {
	if a.w.Buffered() == 0 {
		if err := a.w.WriteByte('\n'); err != nil {
			return err
		}
	}
	return a.w.Flush()
}

func (a *jsonRows) row(cells []cell) error {
	text := []byte(",\n{")
	if !a.begun {
		a.begun, text = true, text[2:]
	}
	for i, c := range cells {
		if i > 0 {
			text = append(text, ',')
		}
		value, err := json.Marshal(c.value)
		if raw, ok := c.value.(json.RawMessage); ok {
			value, err = raw, nil // as it was published
		}
		if err != nil {
			return err
		}
		text = append(append(strconv.AppendQuote(text, c.name), ':'), value...)
	}
	_, err := a.w.Write(append(text, '}'))
	return err
}

func (a *jsonRows) end() error {
	text := "\n]\n"
	if !a.begun {
		text = text[1:]
	}
	_, err := a.w.WriteString(text)
	return err
}

// deliveryCells are a delivery's columns; of nil their names alone.
func deliveryCells(d *store.ExportedDelivery, data bool) []cell {
	if d == nil {
		d = &store.ExportedDelivery{}
	}
	cells := []cell{
		{"id", d.ID},
		{"status", d.Status.String()},
		{"held", orNothing(d.Held)},
		{"event", d.EventType},
		{"event_id", d.EventID},
		{"webhook_id", orNothing(d.WebhookID)},
		{"url", d.URL},
		{"agent_id", orNothing(d.AgentID)},
		{"test", d.Test},
		{"attempts", d.Attempts},
		{"max_attempts", d.MaxAttempts},
		{"last_status_code", orNothing(d.LastStatusCode)},
		{"last_error", orNothing(d.LastError)},
		{"last_detail", orNothing(asText(d.LastDetail))},
		{"last_duration_ms", lastDuration(d)},
		{"created_at", orNothing(d.CreatedAt.Time)},
		{"last_attempt_at", orNothing(d.LastAttemptAt.Time)},
		{"next_attempt_at", orNothing(d.NextAttemptAt.Time)},
		{"delivered_at", orNothing(d.DeliveredAt.Time)},
		{"finished_at", orNothing(d.FinishedAt.Time)},
	}
	if data {
		cells = append(cells, cell{"data", dataOrNothing(d.Data)})
	}
	return cells
}

// eventCells are an event's columns; of nil their names alone.
func eventCells(e *store.Event, data bool) []cell {
	if e == nil {
		e = &store.Event{}
	}
	cells := []cell{
		{"id", e.ID},
		{"event", e.Type},
		{"agent_id", orNothing(e.AgentID)},
		{"timestamp", orNothing(e.OccurredAt.Time)},
		{"created_at", orNothing(e.CreatedAt.Time)},
		{"webhooks", webhooksSentTo(e)},
		{"data_bytes", len(e.Data)},
	}
	if data {
		cells = append(cells, cell{"data", dataOrNothing(e.Data)})
	}
	return cells
}

// orNothing is a value, or nothing where it is the zero one.
func orNothing[T comparable](value T) any {
	var zero T
	if value == zero {
		return nil
	}
	return value
}

func lastDuration(d *store.ExportedDelivery) any {
	if d.LastAttemptAt.IsZero() {
		return nil
	}
	return milliseconds(d.LastDuration)
}

func dataOrNothing(data []byte) any {
	if len(data) == 0 {
		return nil
	}
	return json.RawMessage(data)
}
