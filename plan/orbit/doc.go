// Package orbit says where a craft is and which station hears it when: it reads two-line
// element sets, propagates them by SGP4 and SDP4, turns the result with the Earth, and
// finds passes.
//
// Lengths are in km, speeds in km/s, angles in degrees where a name ends in Deg or a field
// says so, and in radians inside. UT1 is taken as UTC (they differ by less than 0.9 s, a
// craft in low orbit sees a station up to 0.4 km displaced by that), and the pole as fixed
// (15 m). A two-line set itself is good to about 1 km for a few days.
//
// Sources: F. R. Hoots and R. L. Roehrich, Spacetrack Report No. 3, 1980; D. A. Vallado et
// al., Revisiting Spacetrack Report #3, AIAA 2006-6753, whose corrections ("improved"
// operation) and WGS-72 constants are used throughout.
package orbit
