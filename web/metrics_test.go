package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func metricsOf(t *testing.T, s *Server) string {
	t.Helper()
	rec := httptest.NewRecorder()
	s.MetricsHandler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	wantStatus(t, rec, 200)
	return rec.Body.String()
}

func TestRequestsAreCountedByRouteNeverByPath(t *testing.T) {
	s, _ := newServer(t, Options{})
	s.Echo().GET("/webhooks/:id", ok)
	get(t, s, "/webhooks/guess-1")
	get(t, s, "/webhooks/guess-2")
	get(t, s, "/nowhere/guess-3")
	do(t, s, httptest.NewRequest("GUESS4", "/nowhere", nil))
	text := metricsOf(t, s)
	wantContains(t, text, `belfry_http_requests_total{method="GET",route="/webhooks/:id",status="200"} 2`)
	wantContains(t, text, `belfry_http_requests_total{method="GET",route="unmatched",status="404"} 1`)
	wantContains(t, text, `belfry_http_requests_total{method="other",route="unmatched",status="404"} 1`)
	wantContains(t, text, `belfry_http_request_duration_seconds_count{method="GET",route="/webhooks/:id"} 2`)
	if strings.Contains(strings.ToLower(text), "guess") {
		t.Error("a client can make series")
	}
}

func TestTheProcessIsMeasuredAndOthersMayAdd(t *testing.T) {
	s, _ := newServer(t, Options{})
	more := prometheus.NewCounter(prometheus.CounterOpts{Name: "belfry_bells_total", Help: "Bells."})
	s.Registerer().MustRegister(more)
	more.Inc()
	text := metricsOf(t, s)
	for _, want := range []string{"belfry_bells_total 1", "go_goroutines", "process_start_time_seconds"} {
		wantContains(t, text, want)
	}
}

func TestMetricsMayStandOnAListenerOfTheirOwn(t *testing.T) {
	s, _ := newServer(t, Options{})
	addr, err := s.ListenMetrics("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := start(t, s)
	res, err := http.Get("http://" + addr.String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	wantContains(t, readAll(t, res.Body), "belfry_http_requests_in_flight")
	other, err := http.Get(base + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	other.Body.Close()
	if other.StatusCode != 404 {
		t.Errorf("the main listener shows metrics by itself: %d", other.StatusCode)
	}
}
