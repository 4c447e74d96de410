package missions

import "fmt"

// RuleError says which rule a bundle, a grant or an order breaks. Rule is a stable
// word such as "bundle.signature" that events, reports and exit messages carry.
type RuleError struct {
	Rule   string
	Detail string
}

func (e *RuleError) Error() string { return e.Rule + ": " + e.Detail }

// Rulef makes a RuleError.
func Rulef(rule, format string, args ...any) *RuleError {
	return &RuleError{Rule: rule, Detail: fmt.Sprintf(format, args...)}
}

// The rules, in the order in which the store checks them.
const (
	RuleLayout    = "bundle.layout"     // not an OCI image layout of the mission media type
	RulePath      = "bundle.path"       // a name in the archive leaves or does not belong in the layout
	RuleType      = "bundle.type"       // a symlink, device or other odd member
	RuleSize      = "bundle.size"       // larger than the limits, or than it says
	RuleBlob      = "bundle.blob"       // a blob is missing or not referred to
	RuleDigest    = "bundle.digest"     // a blob's content is not what its digest says
	RuleMission   = "mission.toml"      // mission.toml does not hold
	RuleNoGrant   = "grant.missing"     // no grant for this tenant
	RuleGrant     = "grant.signature"   // the grant is not the operator's
	RuleGrantTime = "grant.expired"     // the grant's time is over
	RuleEpoch     = "grant.epoch"       // the grant is of an older epoch
	RuleQuota     = "grant.quota"       // the mission wants more than the grant gives
	RuleVCPUs     = "grant.vcpus"       // it wants more vCPUs than the grant gives
	RuleChannels  = "grant.channels"    // it wants more channels than the grant gives
	RuleSignature = "bundle.signature"  // not signed by the key in the tenant's grant
	RuleELF       = "kernel.elf"        // the program is no unikernel that flies here
	RuleManifest  = "manifest.mismatch" // mission.toml and the program disagree
	RuleOrder     = "order.signature"   // the order is not mission control's
	RuleCraft     = "order.craft"       // the order is for another craft
	RuleOrderEp   = "order.epoch"       // the order is of another epoch
	RuleOrderTime = "order.time"        // too early or too late for the order
	RuleSequence  = "order.sequence"    // this order was carried out before, or is too old to know
	RuleLater     = "order.superseded"  // a later order is why the mission's version is active
	RuleOrderBndl = "order.bundle"      // the order does not name this bundle
	RuleNoTime    = "time.unset"        // the craft has no valid time to hold a date against
)
