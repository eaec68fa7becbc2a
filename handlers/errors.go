package handlers

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
	"belfry/web"
)

// fault is an error as it is told: to people in words, to programs by its code.
type fault struct {
	Status int
	Code   string
	Title  string
	Detail string
	Fields []web.FieldError
	// RetryAfter in seconds; 0 where waiting alone does not help.
	RetryAfter int
	// Webhook is the one that stands in the way; zero where none does.
	Webhook uuid.UUID
}

// Error answers every error of a handler, a guard or the router: as a problem
// (RFC 9457) to programs, as a toast to htmx, as a page to a browser. Faults of
// our own are logged with their cause, and told with the request's id only.
func (h *Handlers) Error(c echo.Context, err error) {
	if errors.Is(err, web.ErrSessionEnded) {
		web.SessionOf(c).SignOut()
		err = web.Redirect(c, signInAddress(c))
		if err == nil {
			return
		}
	}
	f := faultOf(err)
	logCause(c, f, err)
	if f.RetryAfter > 0 {
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(f.RetryAfter))
	}
	switch {
	case wantsProblem(c):
		err = web.WriteProblem(c, f.problem(c))
	case asksForPart(c):
		err = answerToast(c, f)
	default:
		err = web.Render(c, f.Status, h.faultPage(c, f))
	}
	if err != nil && c.Request().Context().Err() == nil { // who left needs no answer
		web.Logger(c).Error("the error could not be answered", "error", err)
	}
}

// wantsProblem tells programs from people: by address, or by the key they bring.
func wantsProblem(c echo.Context) bool {
	path := c.Request().URL.Path
	return path == "/api" || strings.HasPrefix(path, "/api/") || path == "/metrics" ||
		c.Request().Header.Get(echo.HeaderAuthorization) != ""
}

// logCause tells the log what the visitor is not told. The request's own line
// holds the error's words already.
func logCause(c echo.Context, f fault, err error) {
	var ours *store.Error
	if errors.As(err, &ours) && ours.Cause != nil {
		web.Logger(c).Warn("refused", "code", f.Code, "cause", ours.Cause)
	}
}

// statusOfCode is the HTTP status of each of the store's refusals.
func statusOfCode(code store.Code) int {
	switch code {
	case store.CodeInvalid:
		return http.StatusUnprocessableEntity
	case store.CodeNotFound:
		return http.StatusNotFound
	case store.CodeGone:
		return http.StatusGone
	case store.CodeConflict:
		return http.StatusConflict
	case store.CodeQuota:
		return http.StatusForbidden
	case store.CodeRate:
		return http.StatusTooManyRequests
	case store.CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case store.CodeFull:
		return http.StatusInsufficientStorage
	case store.CodeUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// unavailableFor is how many seconds a client is asked to wait when the
// database does not answer or the server is about to end.
const unavailableFor = 5

// faultOf finds the words for any error, in a bounded number of them.
func faultOf(err error) fault {
	f := wordsFor(err)
	f.Detail, f.Fields = web.Clip(f.Detail, faultText), slices.Clone(f.Fields)
	for i, wrong := range f.Fields {
		f.Fields[i] = web.FieldError{Field: web.Clip(wrong.Field, faultText), Detail: web.Clip(wrong.Detail, faultText)}
	}
	return f
}

// faultText is how many characters of a detail, and of a field's path, are told:
// a member's name is whatever was sent.
const faultText = 500

func wordsFor(err error) fault {
	var ours *store.Error
	var refused *web.Error
	var routed *echo.HTTPError
	switch {
	case errors.As(err, &ours):
		return faultOfStore(ours)
	case errors.As(err, &refused):
		return faultOfWeb(refused)
	case errors.As(err, &routed):
		return faultOfRouter(routed)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fault{
			Status: http.StatusServiceUnavailable, Code: "timeout", Title: "This took too long",
			Detail: "Nothing is lost; try again in a moment.", RetryAfter: unavailableFor,
		}
	}
	return fault{
		Status: http.StatusInternalServerError, Code: "internal", Title: "Something went wrong here",
		Detail: "It is not your doing. It is in the log; tell your operator the request's id if it happens again.",
	}
}

func faultOfStore(e *store.Error) fault {
	f := fault{Status: statusOfCode(e.Code), Code: string(e.Code), Detail: sentence(e.Detail), RetryAfter: e.RetryAfter, Webhook: e.Webhook}
	for _, wrong := range e.Fields {
		f.Fields = append(f.Fields, web.FieldError{Field: wrong.Field, Detail: wrong.Detail})
	}
	if f.Status == http.StatusServiceUnavailable && f.RetryAfter == 0 {
		f.RetryAfter = unavailableFor
	}
	f.Title = titleOf(f.Code, f.Status)
	return f
}

func faultOfWeb(e *web.Error) fault {
	f := fault{Status: e.Status, Code: e.Code, Detail: e.Detail, Fields: e.Fields, Title: titleOf(e.Code, e.Status)}
	if f.Status == http.StatusServiceUnavailable {
		f.RetryAfter = unavailableFor
	}
	return f
}

func faultOfRouter(e *echo.HTTPError) fault {
	switch e.Code {
	case http.StatusNotFound:
		return fault{Status: e.Code, Code: "not_found", Title: titleOf("not_found", e.Code), Detail: "Nothing is at this address."}
	case http.StatusMethodNotAllowed:
		return fault{
			Status: e.Code, Code: "wrong_method", Title: titleOf("", e.Code),
			Detail: "This address does not answer that method; the Allow header names those it does.",
		}
	}
	return fault{Status: e.Code, Code: "http", Title: titleOf("", e.Code), Detail: titleOf("", e.Code) + "."}
}

// titleOf names a kind of fault, the same words every time.
func titleOf(code string, status int) string {
	switch code {
	case "invalid":
		return "The input is not valid"
	case "not_found":
		return "Not found"
	case "gone":
		return "Deleted"
	case "wrong_host":
		return "This is not the address of this server"
	case "conflict":
		return "That doesn't fit with what is there"
	case "webhook_quota_exceeded":
		return "All webhooks are used"
	case "rate_limited":
		return "Too many requests"
	case "too_large":
		return "Too large"
	case "database_full":
		return "The database is full"
	case "database_unavailable":
		return "The database does not answer"
	}
	return http.StatusText(status)
}

// sentence begins a detail with a capital, unless it begins with a name such as
// hooks.example, and ends it with a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	first, _, _ := strings.Cut(text, " ")
	if !strings.Contains(strings.TrimRight(first, ".,;:"), ".") {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	if !strings.ContainsAny(text[len(text)-1:], ".?!") {
		text += "."
	}
	return text
}

// problemType is before the code in the type of a problem.
const problemType = "urn:belfry:problem:"

func (f fault) problem(c echo.Context) web.Problem {
	extra := map[string]any{"code": f.Code}
	if f.Webhook != uuid.Nil {
		extra["webhook_id"] = f.Webhook
	}
	return web.Problem{
		Type: problemType + f.Code, Title: f.Title, Status: f.Status, Detail: f.detail(), Errors: f.Fields,
		RequestID: web.RequestID(c), Extra: extra,
	}
}

// detailFields is how many wrong fields a problem's detail names.
const detailFields = 3

// detail says what is wrong to who reads no list of fields: the first of them,
// where nothing but their list tells.
func (f fault) detail() string {
	if len(f.Fields) == 0 || f.Detail != f.Title+"." {
		return f.Detail
	}
	var parts []string
	for _, wrong := range f.Fields[:min(len(f.Fields), detailFields)] {
		if wrong.Field == "" { // of the body as a whole
			parts = append(parts, wrong.Detail)
			continue
		}
		parts = append(parts, wrong.Field+": "+wrong.Detail)
	}
	if more := len(f.Fields) - detailFields; more > 0 {
		parts = append(parts, "and "+strconv.Itoa(more)+" more")
	}
	return strings.Join(parts, "; ")
}

// asksForPart says whether htmx will put the answer, or what it selects of it,
// into the page that the visitor looks at.
func asksForPart(c echo.Context) bool {
	h := c.Request().Header
	return h.Get("HX-Request") == "true" && h.Get("HX-Boosted") == "" && h.Get("HX-History-Restore-Request") == ""
}

// answerToast shows the fault beside whatever the visitor was looking at, which
// stays as it is.
func answerToast(c echo.Context, f fault) error {
	h := c.Response().Header()
	h.Set("HX-Retarget", "#toasts")
	h.Set("HX-Reswap", "beforeend")
	h.Set("HX-Reselect", ".toast")
	return web.Render(c, f.Status, views.Toast(f.words()))
}

// words is all there is to say in one line.
func (f fault) words() string {
	if len(f.Fields) == 0 {
		return f.Title + ". " + f.Detail
	}
	parts := make([]string, len(f.Fields))
	for i, wrong := range f.Fields {
		parts[i] = wrong.Detail
	}
	return sentence(strings.Join(parts, "; "))
}

// faultPage is the fault for a browser that asked for a page. Who is signed in
// keeps the sidebar, unless the fault is ours: then the frame may fail as well.
func (h *Handlers) faultPage(c echo.Context, f fault) templ.Component {
	view := views.ErrorView{Title: f.Title, Text: f.Detail, Back: views.Link{Label: "Go to Webhooks", Href: homePath}}
	if len(f.Fields) > 0 {
		view.Text = f.words()
	}
	if f.Status >= http.StatusInternalServerError {
		view.RequestID = web.RequestID(c)
		view.Again = c.Request().Method == http.MethodGet
		view.Address = c.Request().URL.RequestURI()
	}
	if f.Status == http.StatusMisdirectedRequest { // what this host links to is refused as well
		view.Back = views.Link{Label: "Go to " + h.opt.BaseURL, Href: h.opt.BaseURL}
		return views.ErrorPage(view)
	}
	if f.Status < http.StatusInternalServerError && h.framed(c) {
		return within(views.Page(h.frame(c, views.EntryNone), f.Title), views.ErrorPart(view))
	}
	return views.ErrorPage(view)
}

// framed says whether somebody is signed in. An address that nothing is at has
// no routes to find that out: then it is done here, as far as it can be.
func (h *Handlers) framed(c echo.Context) bool {
	if personOf(c).ID != uuid.Nil {
		return true
	}
	err := h.sessions.Middleware(func(c echo.Context) error {
		_, err := h.recognize(c)
		return err
	})(c)
	return err == nil && personOf(c).ID != uuid.Nil
}

// within gives a component its children.
func within(parent, children templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return parent.Render(templ.WithChildren(ctx, children), w)
	})
}
