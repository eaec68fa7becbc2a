package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"belfry/static"
	"belfry/store"
	"belfry/views"
	"belfry/web"
)

// apiPath is where the JSON API begins.
const apiPath = "/api/v1"

// Routes is the map of Belfry: every address, by who may call it.
func (h *Handlers) Routes(s *web.Server) {
	e := s.Echo()

	anybody := routes{echo: e}
	anybody.get("/healthz", h.healthy)
	anybody.get("/readyz", h.ready)
	anybody.get("/static/*", echo.WrapHandler(static.Handler(web.AcceptsGzip)))
	anybody.get(apiPath+"/openapi.json", h.apiDocument)

	// Pages for visitors who have not signed in.
	visitor := routes{e, use(h.sessions.Middleware)}
	visitor.get("/", h.home)
	visitor.get("/login", h.signInPage)
	visitor.post("/login", h.signIn)
	visitor.post("/logout", h.signOut)
	visitor.get("/welcome", h.welcomePage)
	visitor.post("/welcome", h.welcome)

	// Pages for everybody who has signed in: they read.
	viewer := routes{e, use(h.sessions.Middleware, h.signedIn)}
	viewer.get("/setup/webhooks", h.webhooksPage)
	viewer.get(webhooksLivePath, h.webhooksLive)
	viewer.get("/setup/webhooks/:id", h.webhookPage)
	viewer.get("/setup/webhooks/:id/live", h.webhookLive)
	viewer.get(logsPath, h.logsPage)
	viewer.get(livePath, h.logsLive)
	viewer.get(views.RunsAddress, h.resendRunsPage)
	viewer.get(views.RunsAddress+"/:id", h.resendRunPage)
	viewer.get(views.RunsAddress+"/:id/progress", h.resendProgress)
	viewer.get("/setup/webhooks/deliveries/:id", h.deliveryPage)
	viewer.get("/setup/webhooks/deliveries/:id/live", h.deliveryLive)
	viewer.get(eventsPath, h.eventsPage)
	viewer.get(eventsLivePath, h.eventsLive)
	viewer.get(eventsPath+"/:id", h.eventPage)
	viewer.get(trialPath, h.trialPage)
	viewer.get(trialPath+"/answer", h.trialAnswer)
	viewer.get(inboxPath, h.inboxPage)
	viewer.get(inboxPath+"/live", h.inboxLive)
	viewer.get(cataloguePath, h.cataloguePage)
	viewer.get(limitsPath, h.limitsPage)
	viewer.get(keysPath, h.keysPage)
	viewer.get(findPath, h.find)

	if h.opt.Styleguide {
		viewer.get(styleguidePath, h.styleguide)
		viewer.get(styleguidePath+"/:name", h.styleguide)
	}

	// What takes data out.
	exporter := routes{e, use(h.sessions.Middleware, h.signedIn, h.may(store.Role.CanExport))}
	exporter.get(logsExportPath, h.exportDeliveries)
	exporter.get(eventsExportPath, h.exportEvents)

	// What changes something, sends something or shows a secret.
	admin := routes{e, use(h.sessions.Middleware, h.signedIn, h.may(store.Role.CanEdit))}
	admin.get("/setup/webhooks/new", h.newWebhookPage)
	admin.post("/setup/webhooks", h.addWebhook)
	admin.get("/setup/webhooks/check-url", h.checkURL)
	admin.get("/setup/webhooks/sample", h.samplePart)
	admin.get(views.FirstTestAddress, h.seeFirstTest)
	admin.post(views.FirstStepsAddress, h.endFirstSteps)
	admin.get("/setup/webhooks/:id/edit", h.editWebhookPage)
	admin.post("/setup/webhooks/:id/edit", h.editWebhook)
	admin.get("/setup/webhooks/:id/secret", h.secretPage)
	admin.post("/setup/webhooks/:id/toggle", h.toggleWebhook)
	admin.post("/setup/webhooks/:id/rotate-secret", h.rotateSecret)
	admin.post("/setup/webhooks/:id/switch-secret", h.switchSecret)
	admin.post("/setup/webhooks/:id/send-missed", h.sendMissed)
	admin.post("/setup/webhooks/:id/dismiss-missed", h.dismissMissed)
	admin.post("/setup/webhooks/:id/delete", h.deleteWebhook)
	admin.post("/setup/webhooks/deliveries/:id/resend", h.resendDelivery)
	admin.get(views.BulkAddress, h.bulkPage)
	admin.post(views.BulkAddress, h.startBulk)
	admin.post(views.RunsAddress+"/:id/pause", h.changeResend(store.ResendPaused))
	admin.post(views.RunsAddress+"/:id/continue", h.changeResend(store.ResendRunning))
	admin.post(views.RunsAddress+"/:id/cancel", h.changeResend(store.ResendCancelled))
	admin.post(trialPath, h.sendTrial)
	admin.post(trialPath+"/again", h.sendTrialAgain)
	admin.post(trialPath+"/check", h.checkTrial)
	admin.post(trialPath+"/sample", h.trialSample)
	admin.post(inboxPath, h.setInboxAnswer)
	admin.post(views.InboxStartAddress, h.startInbox)
	admin.get(debuggerPath, h.debuggerPage)
	admin.post(debuggerPath, h.debugSignature)
	admin.get(cataloguePath+"/new", h.newTypePage)
	admin.post(cataloguePath, h.addType)
	admin.get(keysPath+"/new", h.newKeyPage)
	admin.post(keysPath, h.addKey)
	admin.post(keysPath+"/:id/revoke", h.revokeKey)

	publish := routes{e, use(h.keyWith(store.ScopePublish))}
	publish.post(apiPath+"/events", h.apiPublish)
	publish.post(apiPath+"/events/batch", h.apiPublishBatch, web.BodyLimit(int64(store.DefaultLimits().BatchBytes)))

	read := routes{e, use(h.keyWith(store.ScopeRead))}
	read.get(apiPath+"/webhooks", h.apiWebhooks)
	read.get(apiPath+"/webhooks/:id", h.apiWebhook)
	read.get(apiPath+"/webhooks/:id/deliveries", h.apiDeliveries)
	read.get(apiPath+"/webhooks/:id/deliveries/summary", h.apiSummary)
	read.get(apiPath+"/deliveries/:id", h.apiDelivery)
	read.get(apiPath+"/deliveries/resend/:id", h.apiResendRun)
	read.get(apiPath+"/events", h.apiEvents)
	read.get(apiPath+"/events/:id", h.apiEvent)
	read.get(apiPath+"/event-types", h.apiEventTypes)
	read.get(apiPath+"/limits", h.apiLimits)

	// What tells of all accounts.
	operator := routes{e, use(h.keyWith(store.ScopeRead), h.operatorsKey)}
	operator.get("/metrics", echo.WrapHandler(s.MetricsHandler()))

	manage := routes{e, use(h.keyWith(store.ScopeManage))}
	manage.post(apiPath+"/webhooks", h.apiAddWebhook)
	manage.patch(apiPath+"/webhooks/:id", h.apiChangeWebhook)
	manage.delete(apiPath+"/webhooks/:id", h.apiDeleteWebhook)
	manage.post(apiPath+"/webhooks/:id/rotate-secret", h.apiRotateSecret)
	manage.post(apiPath+"/webhooks/:id/test", h.apiTestWebhook)
	manage.post(apiPath+"/webhooks/:id/send-missed", h.apiSendMissed)
	manage.post(apiPath+"/test", h.apiTest)
	manage.post(apiPath+"/deliveries/:id/resend", h.apiResend)
	manage.post(apiPath+"/deliveries/resend", h.apiStartResend)
	manage.post(apiPath+"/event-types", h.apiAddEventType)
}

// routes adds addresses that share who may call them. Unlike Echo's groups it
// claims nothing but the addresses it is given: unknown ones stay the router's.
type routes struct {
	echo *echo.Echo
	// first comes before the handler, in this order.
	first []echo.MiddlewareFunc
}

func use(first ...echo.MiddlewareFunc) []echo.MiddlewareFunc { return first }

func (r routes) add(method, path string, do echo.HandlerFunc, more []echo.MiddlewareFunc) {
	r.echo.Add(method, path, do, append(use(r.first...), more...)...)
}

func (r routes) get(path string, do echo.HandlerFunc, more ...echo.MiddlewareFunc) {
	r.add(http.MethodGet, path, do, more)
}

func (r routes) post(path string, do echo.HandlerFunc, more ...echo.MiddlewareFunc) {
	r.add(http.MethodPost, path, do, more)
}

func (r routes) patch(path string, do echo.HandlerFunc, more ...echo.MiddlewareFunc) {
	r.add(http.MethodPatch, path, do, more)
}

func (r routes) delete(path string, do echo.HandlerFunc, more ...echo.MiddlewareFunc) {
	r.add(http.MethodDelete, path, do, more)
}
