package web

// Clip gives the first most characters of a text and "…" behind them, or the
// whole text where it isn't longer: what somebody sent may be a megabyte and is
// told back, or logged, by its beginning.
func Clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for at := range text {
		if most == 0 {
			return text[:at] + "…"
		}
		most--
	}
	return text
}
