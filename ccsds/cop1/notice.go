package cop1

// FDU is one frame data unit on its way through FOP-1. The lower layer may keep
// the finished frame in Frame: FOP-1 hands the same FDU over on each
// transmission, and a retransmission must be the identical octets.
type FDU struct {
	Data  []byte
	Frame []byte
	Tag   any
}

// Kind is the type of a frame that FOP-1 wants radiated.
type Kind uint8

// The kinds of transmission. Type-BD needs no engine: E21 accepts and transmits
// it in every state, so the lower layer radiates it by itself.
const (
	AD Kind = iota // data, sequence controlled
	BC             // control command
)

// Transmission is one request to the lower layer (CCSDS 232.1-B-2 §3.2.3).
type Transmission struct {
	Kind  Kind
	Seq   uint8 // N(S), AD only
	FDU   *FDU  // for BC: Data is the directive
	Again bool  // a retransmission
}

// NoticeKind says what a Notice reports.
type NoticeKind uint8

// The notices, in the words of CCSDS 232.1-B-2 tables 4-3, 4-5 and 4-6.
const (
	Confirmed     NoticeKind = iota // positive confirm of an FDU: the far end has it
	Returned                        // negative confirm: the FDU was purged, its fate is unknown
	Initialised                     // positive confirm of an initiate directive
	Alerted                         // AD service ended; Alert says why
	Suspended                       // T1 ran out with timeout type 1
	Resumed                         // the Resume directive was confirmed
	Retransmitted                   // Frames frames were marked for retransmission
)

// Notice is what FOP-1 tells its user.
type Notice struct {
	Kind   NoticeKind
	FDU    *FDU  // Confirmed, Returned
	Seq    uint8 // N(S) of the FDU
	Alert  Alert
	Frames int
}

// Alert is the reason code of an alert (CCSDS 232.1-B-2 table 4-4).
type Alert uint8

// The alerts.
const (
	AlertLimit   Alert = iota + 1 // transmission limit 1 and a retransmission is asked for
	AlertT1                       // T1 ran out and the transmission limit is used up
	AlertLockout                  // CLCW with the lockout flag
	AlertSynch                    // flags or N(R) contradict this side's state
	AlertNNR                      // N(R) outside NN(R)..V(S)
	AlertCLCW                     // invalid pattern in the CLCW
	AlertLLIF                     // the lower layer rejected a frame
	AlertTerm                     // terminated by directive
)

var alertNames = [...]string{"", "limit", "t1", "lockout", "synch", "nnr", "clcw", "llif", "term"}

// String names the alert as the book does, in lower case.
func (a Alert) String() string {
	if int(a) < len(alertNames) {
		return alertNames[a]
	}
	return "unknown"
}
