package cop1

import "time"

// event is a numbered event of the FOP-1 state table (CCSDS 232.1-B-2 table
// 5-1). Only those that act differently by state are here; requests and
// directives (E19 to E40) are methods.
type event uint8

const (
	e1   event = iota // N(R)=V(S), no flags, nothing newly acknowledged
	e2                // N(R)=V(S), no flags, all newly acknowledged
	e3                // N(R)=V(S), wait without retransmit
	e4                // N(R)=V(S), retransmit with nothing outstanding
	e5                // NN(R)<=N(R)<V(S), no flags, nothing newly acknowledged
	e6                // the same, some newly acknowledged
	e7                // NN(R)<=N(R)<V(S), wait without retransmit
	e101              // retransmit, limit 1, some newly acknowledged
	e102              // retransmit, limit 1, none
	e8                // retransmit, some newly acknowledged, no wait
	e9                // the same with wait
	e10               // retransmit, none newly acknowledged, count < limit, no wait
	e11               // the same with wait
	e12               // retransmit, none, count = limit, no wait
	e103              // the same with wait
	e13               // N(R) outside NN(R)..V(S)
	e14               // lockout
	e16               // T1, count < limit, timeout type 0
	e104              // T1, count < limit, timeout type 1
	e17               // T1, count = limit, timeout type 0
	e18               // T1, count = limit, timeout type 1
	events
)

// action is one entry of a cell; the cell's state is entered after all of them.
type action func(f *FOP, now time.Time, nr uint8)

type cell struct {
	do []action
	to State // 0: stay
}

var (
	ignore = cell{}
	never  = cell{} // the combination cannot occur
	none   []action
)

func alerts(a Alert, before ...action) cell {
	return cell{append(before, func(f *FOP, _ time.Time, _ uint8) { f.alert(a) }), Initial}
}

func all(c cell) [6]cell { return [6]cell{c, c, c, c, c, c} }

// table is indexed by event and by state S1 to S6.
var table = [events][6]cell{
	//     S1 active, S2 retransmit, S3 with wait, S4 initialising, S5 with BC, S6 initial
	e1:   {ignore, alerts(AlertSynch), alerts(AlertSynch), {[]action{confirm, stopTimer}, Active}, {[]action{releaseBC, confirm, stopTimer}, Active}, ignore},
	e2:   {{[]action{removeAcked, stopTimer}, Active}, {[]action{removeAcked, stopTimer}, Active}, {[]action{removeAcked, stopTimer}, Active}, never, never, ignore},
	e3:   {alerts(AlertCLCW), alerts(AlertCLCW), alerts(AlertCLCW), alerts(AlertCLCW), ignore, ignore},
	e4:   {alerts(AlertSynch), alerts(AlertSynch), alerts(AlertSynch), alerts(AlertSynch), ignore, ignore},
	e5:   {ignore, alerts(AlertSynch), alerts(AlertSynch), never, never, ignore},
	e6:   {{[]action{removeAcked}, Active}, {[]action{removeAcked}, Active}, {[]action{removeAcked}, Active}, never, never, ignore},
	e7:   {alerts(AlertCLCW), alerts(AlertCLCW), alerts(AlertCLCW), never, never, ignore},
	e101: {alerts(AlertLimit, removeAcked), alerts(AlertLimit, removeAcked), alerts(AlertLimit, removeAcked), never, never, ignore},
	e102: {alerts(AlertLimit), alerts(AlertLimit), alerts(AlertLimit), never, never, ignore},
	e8:   {{[]action{removeAcked, retransmitAD}, RetransmitWithoutWait}, {[]action{removeAcked, retransmitAD}, RetransmitWithoutWait}, {[]action{removeAcked, retransmitAD}, RetransmitWithoutWait}, never, never, ignore},
	e9:   {{[]action{removeAcked}, RetransmitWithWait}, {[]action{removeAcked}, RetransmitWithWait}, {[]action{removeAcked}, RetransmitWithWait}, never, never, ignore},
	e10:  {{[]action{retransmitAD}, RetransmitWithoutWait}, ignore, {[]action{retransmitAD}, RetransmitWithoutWait}, never, never, ignore},
	e11:  {{none, RetransmitWithWait}, {none, RetransmitWithWait}, ignore, never, never, ignore},
	e12:  {{none, RetransmitWithoutWait}, ignore, {none, RetransmitWithoutWait}, never, never, ignore},
	e103: {{none, RetransmitWithWait}, {none, RetransmitWithWait}, ignore, never, never, ignore},
	e13:  {alerts(AlertNNR), alerts(AlertNNR), alerts(AlertNNR), alerts(AlertNNR), ignore, ignore},
	e14:  {alerts(AlertLockout), alerts(AlertLockout), alerts(AlertLockout), alerts(AlertLockout), ignore, ignore},
	e16:  {{[]action{retransmitAD}, 0}, {[]action{retransmitAD}, 0}, ignore, alerts(AlertT1), {[]action{retransmitBC}, 0}, never},
	e104: {{[]action{retransmitAD}, 0}, {[]action{retransmitAD}, 0}, ignore, {[]action{suspend}, Initial}, {[]action{retransmitBC}, 0}, never},
	e17:  all(alerts(AlertT1)),
	// SS has no value for S5, which could not be resumed: there the service ends.
	e18: {{[]action{suspend}, Initial}, {[]action{suspend}, Initial}, {[]action{suspend}, Initial}, {[]action{suspend}, Initial}, alerts(AlertT1), never},
}

// classify finds the event that a CLCW is. A pattern that the book calls invalid
// (E15) cannot be decoded into a CLCW in the first place.
func (f *FOP) classify(c CLCW) event {
	acked := c.ReportValue - f.nnr // newly acknowledged frames, modulo 256
	out := f.vs - f.nnr            // outstanding ones
	limit := f.count >= f.cfg.Limit
	switch {
	case c.Lockout:
		return e14
	case acked > out:
		return e13
	case acked == out && c.Retransmit:
		return e4
	case acked == out && c.Wait:
		return e3
	case acked == out && acked == 0:
		return e1
	case acked == out:
		return e2
	case !c.Retransmit && c.Wait:
		return e7
	case !c.Retransmit && acked == 0:
		return e5
	case !c.Retransmit:
		return e6
	case f.cfg.Limit == 1:
		return pick(acked != 0, e101, e102)
	case acked != 0:
		return pick(c.Wait, e9, e8)
	case limit:
		return pick(c.Wait, e103, e12)
	default:
		return pick(c.Wait, e11, e10)
	}
}

func (f *FOP) timeoutEvent() event {
	if f.count < f.cfg.Limit {
		return pick(f.cfg.Suspend, e104, e16)
	}
	return pick(f.cfg.Suspend, e18, e17)
}

func pick(cond bool, yes, no event) event {
	if cond {
		return yes
	}
	return no
}
