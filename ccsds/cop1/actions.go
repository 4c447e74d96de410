package cop1

import "time"

// The actions of CCSDS 232.1-B-2 §5.2 that the state table names.

// apply executes the cell of event e in the present state. clcw is the control
// word behind E1 to E14.
func (f *FOP) apply(e event, now time.Time, clcw ...CLCW) {
	var nr uint8
	if len(clcw) > 0 {
		nr = clcw[0].ReportValue
	}
	c := table[e][f.state-Active]
	for _, do := range c.do {
		do(f, now, nr)
	}
	if c.to != 0 {
		f.state = c.to
	}
}

// initialise purges the queues and resets the counters (§5.2.6).
func (f *FOP) initialise() {
	f.purge()
	f.count, f.ss = 1, 0
}

// alert ends the AD service: timer off, queues purged, user told (§5.2.7).
func (f *FOP) alert(a Alert) {
	f.timer.stop()
	f.state, f.ss, f.init = Initial, 0, false
	f.bc, f.bcOut = nil, false
	f.purge()
	f.notify(Notice{Kind: Alerted, Alert: a})
}

// purge returns all queued FDUs to the user, oldest first.
func (f *FOP) purge() {
	queue, wait := f.sent, f.wait
	f.sent, f.wait = nil, nil
	for _, s := range queue {
		f.notify(Notice{Kind: Returned, FDU: s.fdu, Seq: s.seq})
	}
	if wait != nil {
		f.notify(Notice{Kind: Returned, FDU: wait, Seq: f.vs})
	}
}

// confirm is the positive confirm of the initiate directive.
func confirm(f *FOP, _ time.Time, _ uint8) {
	f.state = Active
	if f.init {
		f.init = false
		f.notify(Notice{Kind: Initialised})
	}
}

func stopTimer(f *FOP, _ time.Time, _ uint8) { f.timer.stop() }

// releaseBC drops the Type-BC frame that was executed; its round trip is the first
// that can be measured.
func releaseBC(f *FOP, now time.Time, _ uint8) {
	if !f.bcRe && !f.bcOut {
		f.timer.measure(now.Sub(f.bcAt))
	}
	f.bc, f.bcOut = nil, false
	f.timer.progress()
}

// removeAcked confirms the frames before nr and restarts the count for the next
// (§5.2.8).
func removeAcked(f *FOP, now time.Time, nr uint8) {
	n := int(nr - f.nnr)
	if n > len(f.sent) {
		n = len(f.sent)
	}
	done := f.sent[:n:n]
	f.sent = f.sent[n:]
	f.nnr, f.count = nr, 1
	f.timer.progress()
	for _, s := range done {
		if !s.again {
			f.timer.measure(now.Sub(s.first))
		}
		f.notify(Notice{Kind: Confirmed, FDU: s.fdu, Seq: s.seq})
	}
}

// retransmitAD marks the whole Sent_Queue (go back N, §5.2.9).
func retransmitAD(f *FOP, now time.Time, _ uint8) {
	f.count++
	f.timer.start(now)
	f.markAll()
}

func (f *FOP) markAll() {
	for i := range f.sent {
		f.sent[i].resend = true
		f.sent[i].again = true
	}
	f.notify(Notice{Kind: Retransmitted, Frames: len(f.sent)})
}

// retransmitBC marks the Type-BC frame (§5.2.10).
func retransmitBC(f *FOP, now time.Time, _ uint8) {
	f.count++
	f.timer.start(now)
	f.bcOut, f.bcRe = true, true
	f.notify(Notice{Kind: Retransmitted, Frames: 1})
}

// suspend keeps the queues for Resume (§5.2.16).
func suspend(f *FOP, _ time.Time, _ uint8) {
	f.ss = f.state
	f.notify(Notice{Kind: Suspended})
}
