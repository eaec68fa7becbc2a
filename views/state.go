package views

// State is a word with an icon and a colour: icon and word always, colour third.
type State struct {
	Icon, Tone, Word string
}

// HealthState gives how a webhook's health is shown. The reason is its disabled_reason: an inactive webhook that Belfry
// deactivated itself (failing, gone) shows as trouble.
func HealthState(health, reason string) State {
	switch health {
	case "failing":
		return State{"triangle-alert", "bad", "Failing"}
	case "probing":
		return State{"radar", "info", "Probing"}
	case "slow":
		return State{"timer", "warn", "Slow"}
	case "held":
		return State{"hourglass", "warn", "Held"}
	case "healthy":
		return State{"circle-check", "ok", "Healthy"}
	case "inactive":
		if reason == "failing" || reason == "gone" {
			return State{"circle-pause", "bad", "Inactive"}
		}
		return State{"circle-pause", "idle", "Inactive"}
	default:
		return State{"circle-dashed", "idle", "No deliveries yet"}
	}
}

// DeliveryState gives how a delivery's status is shown; held is empty or why a pending one waits.
func DeliveryState(status, held string) State {
	switch {
	case status == "pending" && held != "":
		return State{"hourglass", "warn", "Pending, held"}
	case status == "processing":
		return State{"loader", "info", "Processing"}
	case status == "delivered":
		return State{"circle-check", "ok", "Delivered"}
	case status == "failed":
		return State{"circle-x", "bad", "Failed"}
	case status == "dead":
		return State{"ban", "ink", "Dead"}
	default:
		return State{"clock", "idle", "Pending"}
	}
}

// AnswerState gives how the outcome of one attempt is shown: a 2xx is fine, every other word is trouble.
func AnswerState(word string, fine bool) State {
	if fine {
		return State{"circle-check", "ok", word}
	}
	return State{"circle-x", "bad", word}
}
