package pus

import "fmt"

// EventID says what happened. The numbers are part of the mission database:
// they are never given a second meaning.
type EventID uint16

// Events of the flight software.
const (
	EventBoot             EventID = 1
	EventFlightRestarted  EventID = 2
	EventSafeEntered      EventID = 3
	EventSafeLeft         EventID = 4
	EventTimeSet          EventID = 5
	EventLinkRefused      EventID = 10
	EventBundleStaged     EventID = 20
	EventBundleActivated  EventID = 21
	EventBundleRefused    EventID = 22
	EventGuestStarted     EventID = 30
	EventGuestExited      EventID = 31
	EventGuestRefused     EventID = 32
	EventPlanInserted     EventID = 40
	EventPlanReleased     EventID = 41
	EventPlanWaitsForTime EventID = 42
	EventPlanMissed       EventID = 43
	EventProductComplete  EventID = 50
	EventProductSent      EventID = 51
	EventPacketRefused    EventID = 60
)

var eventNames = map[EventID]string{
	EventBoot: "boot", EventFlightRestarted: "flight restarted",
	EventSafeEntered: "safe entered", EventSafeLeft: "safe left", EventTimeSet: "time set",
	EventLinkRefused: "link refused", EventBundleStaged: "bundle staged",
	EventBundleActivated: "bundle activated", EventBundleRefused: "bundle refused",
	EventGuestStarted: "guest started", EventGuestExited: "guest exited",
	EventGuestRefused: "guest refused", EventPlanInserted: "plan inserted",
	EventPlanReleased: "plan released", EventPlanWaitsForTime: "plan waits for time",
	EventPlanMissed:      "plan missed",
	EventProductComplete: "product complete", EventProductSent: "product sent",
	EventPacketRefused: "packet refused",
}

func (id EventID) String() string {
	if s, ok := eventNames[id]; ok {
		return s
	}
	return fmt.Sprintf("event %d", uint16(id))
}
