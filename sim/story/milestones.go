package story

// Names of the story's people and programs.
const (
	beaconTenant, beacon        = "acme", "beacon"
	imagerTenant, imager        = "borealis", "earth"
	aborter                     = "abort"
	beaconAPID           uint16 = 100
)

// milestones is the story in its order.
func milestones() []milestone {
	return []milestone{
		{id: "boot", title: "the craft boots its flight image", run: boot},
		{id: "bit-lock", title: "the receiver finds the sync marker in the bits", rests: []string{"boot"}, run: bitLock},
		{id: "frame-lock", title: "a frame passes its code and FECF", rests: []string{"bit-lock"}, breaks: []string{"rs"}, run: frameLock},
		{id: "clcw", title: "COP-1 is open: the craft's CLCW says so", rests: []string{"frame-lock"}, run: clcw},
		{id: "ping", title: "TC[17,1] through a burst, TM[17,2] back", rests: []string{"clcw"}, breaks: []string{"fop", "sdls"}, run: ping},
		{id: "beacon", title: "acme's beacon sends under its own APID", rests: []string{"frame-lock"}, run: beaconHeard},
		{id: "time", title: "the craft's clock is set", rests: []string{"ping"}, run: setTime},
		{id: "upload", title: "borealis's mission goes up by CFDP class 2", rests: []string{"ping"}, run: upload},
		{id: "fop", title: "at least one FOP retransmission", rests: []string{"upload"}, run: retransmitted},
		{id: "activate", title: "TC[8,1]: signature, grant, order hold", rests: []string{"upload", "time"}, breaks: []string{"signature"}, run: activate},
		{id: "start", title: "TC[11,4] starts the guest at its time", rests: []string{"activate"}, run: start},
		{id: "product", title: "the guest compresses the image (121.0-B)", rests: []string{"start"}, breaks: []string{"guest"}, run: productMade},
		{id: "downlink", title: "the product comes down by CFDP class 2", rests: []string{"product"}, run: productDown},
		{id: "tm-lost", title: "at least one frame down was lost", rests: []string{"downlink"}, run: framesLost},
		{id: "rs", title: "at least one correction by the code", rests: []string{"downlink"}, run: framesCorrected},
		{id: "nak", title: "at least one CFDP NAK", rests: []string{"downlink"}, run: naked},
		{id: "restore", title: "our decoder gives the original", rests: []string{"downlink"}, run: restoreOurs},
		{id: "restore-aec", title: "Debian's aec gives the original", rests: []string{"downlink"}, run: restoreAEC},
		{id: "wrong-key", title: "a stranger's signature is refused by name", rests: []string{"upload", "time"}, run: wrongKey},
		{id: "abort", title: "a guest that aborts is reported with its code", rests: []string{"upload", "time"}, run: guestAborts},
		{id: "neighbour", title: "its neighbour's counter has no gap", rests: []string{"abort", "beacon"}, run: neighbour},
		{id: "reset", title: "after a reset the craft is back, time unset", rests: []string{"ping", "time"}, run: reset},
		{id: "schedule-waits", title: "the schedule is kept and waits for time", rests: []string{"reset"}, run: scheduleWaits},
		{id: "beacon-again", title: "the beacon runs again", rests: []string{"reset", "beacon"}, run: beaconAgain},
		{id: "replay", title: "the anti-replay counter has not gone back", rests: []string{"reset"}, run: replayFloor},
	}
}
