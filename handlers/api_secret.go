package handlers

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/web"
)

// checkOwnSecret refuses an empty secret, which would be one nobody chose.
func checkOwnSecret(secret web.Optional[string]) []web.FieldError {
	if secret.Set && !secret.Null && secret.Value == "" {
		return []web.FieldError{{Field: "secret", Detail: "a secret has 8 to 256 characters; leave it out to have one made, or send null for none"}}
	}
	return nil
}

// secretChoice: left out means a generated one, null means none.
func secretChoice(secret web.Optional[string]) store.SecretChoice {
	return store.SecretChoice{None: secret.Null, Own: secret.Value}
}

// defaultOverlap and maxOverlap are of a rotation, in hours.
const (
	defaultOverlap = 24
	maxOverlap     = 168
)

func (h *Handlers) apiRotateSecret(c echo.Context) error {
	id, err := h.liveID(c)
	if err != nil {
		return err
	}
	in := struct {
		Secret       web.Optional[string] `json:"secret"`
		OverlapHours *int                 `json:"overlap_hours"`
	}{}
	if err := optionalBody(c, &in); err != nil {
		return err
	}
	hours, faults := defaultOverlap, checkOwnSecret(in.Secret)
	if in.OverlapHours != nil {
		hours = *in.OverlapHours
	}
	if hours < 0 || hours > maxOverlap {
		faults = append(faults, web.FieldError{Field: "overlap_hours", Detail: "the overlap lasts 0 to 168 hours"})
	}
	if err := invalidInput(faults...); err != nil {
		return err
	}
	secret, w, err := h.store.RotateSecret(c.Request().Context(), accountIn(c), id, secretChoice(in.Secret), time.Duration(hours)*time.Hour)
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusOK, struct {
		Secret        *string    `json:"secret"`
		OverlapEndsAt *time.Time `json:"overlap_ends_at"`
	}{orNull(secret), timeOrNull(w.OverlapEndsAt)})
}
