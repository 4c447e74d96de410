package nav

import "github.com/perilune/perilune/plan/orbit"

// numbers maps the count of an element set to the numbers that the orbits have: Before is
// added to counts below From, After to From and above.
type numbers struct{ From, Before, After int64 }

// number is what the orbit with a count is called.
func (n *numbers) number(count orbit.Turns) orbit.Turns {
	if count.Orbit() < n.From {
		return count + orbit.Turns(n.Before)*orbit.Turn
	}
	return count + orbit.Turns(n.After)*orbit.Turn
}

// count is the inverse. A number that comes twice is the later one: who sends it means
// what is still to come.
func (n *numbers) count(number orbit.Turns) (orbit.Turns, error) {
	if c := number - orbit.Turns(n.After)*orbit.Turn; c.Orbit() >= n.From {
		return c, nil
	}
	if c := number - orbit.Turns(n.Before)*orbit.Turn; c.Orbit() < n.From {
		return c, nil
	}
	return 0, ErrSkipped
}

// from has the orbit with the count start be number first, and those after it follow.
func (n *numbers) from(start, first int64) numbers {
	before := n.Before
	if start-1 >= n.From {
		before = n.After
	}
	return numbers{From: start, Before: before, After: first - start}
}

// moved is for elements whose count differs by about by: to the nearest whole turn, since
// both are right about the angle.
func (n *numbers) moved(by orbit.Turns) numbers {
	whole := (by + orbit.Turn/2).Orbit()
	return numbers{From: n.From + whole, Before: n.Before - whole, After: n.After - whole}
}
