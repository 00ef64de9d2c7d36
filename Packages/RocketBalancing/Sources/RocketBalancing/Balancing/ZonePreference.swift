/// Which share of the calls stays in the client's own zone, as Envoy's zone-aware routing: all of
/// them while the zone has its share of the living endpoints, a proportional part after that, so that
/// the survivors of a zone are not overrun. A value; any thread.
///
/// Envoy knows how many clients each zone has. This assumes as many in each.
public struct ZonePreference: Hashable, Sendable {
    /// The client's own zone; empty, the default: no preference.
    public var zone: String
    /// Lists with fewer living endpoints are used without regard to zones. Envoy's
    /// `min_cluster_size`; default 6.
    public var minimumEndpoints: Int

    /// Creates a preference.
    ///
    /// - Parameters: see the properties.
    public init(zone: String = "", minimumEndpoints: Int = 6) {
        self.zone = zone
        self.minimumEndpoints = minimumEndpoints
    }

    /// The share of calls for the own zone, from 0 to 1; nil: zones don't count.
    ///
    /// - Parameters:
    ///   - near: living endpoints of the own zone.
    ///   - all: living endpoints of all zones.
    ///   - zones: the zones of the list, with those whose endpoints are all down.
    public func nearShare(near: Int, all: Int, zones: Int) -> Double? {
        guard !zone.isEmpty, zones > 1, all >= max(1, minimumEndpoints) else { return nil }
        return min(1, Double(near) * Double(zones) / Double(all))
    }
}
