package views

// LimitsView is the page of an account's limits.
type LimitsView struct {
	Notices  []Msg
	Rate     []LimitLine
	Size     []LimitLine
	Kept     []Number // for how long what is kept
	Schedule []ScheduleStep
	Retries  string // "5, so 6 attempts within about 7 h 11 min, each wait ±20%"
	Rules    []Rule
}

// LimitLine is one limit: what happens at its edge, its use and its value.
type LimitLine struct {
	Name, Text string
	Meter      *MeterView
	Note       string // instead of the meter
	Limit      string
}
