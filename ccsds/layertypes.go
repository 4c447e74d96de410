package ccsds

// Numbers of the gopacket layer types, from the range 1000–1999 that gopacket leaves to
// applications. They stand in one table because registering a number twice panics; each
// book registers its own with its decoder.
const (
	LayerNumberSPP   = 1000 // space packet, 133.0-B
	LayerNumberTM    = 1001 // telemetry transfer frame, 132.0-B
	LayerNumberTC    = 1002 // telecommand transfer frame, 232.0-B
	LayerNumberAOS   = 1003 // AOS transfer frame, 732.0-B
	LayerNumberUSLP  = 1004 // USLP transfer frame, 732.1-B
	LayerNumberEncap = 1005 // encapsulation packet, 133.1-B
	LayerNumberCLCW  = 1006 // communications link control word, 232.0-B
	LayerNumberCLTU  = 1007 // communications link transmission unit, 231.0-B
	LayerNumberSDLS  = 1008 // security header and trailer, 355.0-B
	LayerNumberCFDP  = 1009 // file delivery protocol data unit, 727.0-B
	LayerNumberPUSTC = 1010 // PUS telecommand, ECSS-E-ST-70-41C
	LayerNumberPUSTM = 1011 // PUS telemetry, ECSS-E-ST-70-41C
)
