/// Which endpoint a key belongs to: a ring of points, about 100 per endpoint; a key belongs to the
/// next point. A value; O(log n) per look-up, no allocation.
///
/// Why a ring: the bounded load needs a next endpoint after one that is full, which a ring gives for
/// free and differs by key, so that the load of a full endpoint is spread over all others.
/// Rendezvous hashing gives it as well, but evaluates every endpoint for every call; jump hashing is
/// O(log n), but only its last bucket can be removed; a Maglev table is rebuilt as a whole and moves
/// more keys.
struct HashRing: Sendable {
    private struct Point {
        var position: UInt64
        var endpoint: Int32
    }

    /// Points of an endpoint with weight 1. The largest share of 100 endpoints is then about 1.3
    /// times the mean; the bounded load evens out the rest.
    static let pointsPerWeight = 100
    /// At most so many per endpoint, for weights above 10.
    static let mostPoints = 1_000

    private var points: [Point] = []

    var isEmpty: Bool { points.isEmpty }

    /// Begins anew; O(p log p) for p points.
    mutating func rebuild(
        _ endpoints: some Collection<(endpoint: Int32, hash: UInt64, weight: Double)>
    ) {
        points.removeAll(keepingCapacity: true)
        for (endpoint, hash, weight) in endpoints {
            let wanted = (weight * Double(Self.pointsPerWeight)).rounded()
            for number in 0..<UInt64(min(Double(Self.mostPoints), max(1, wanted))) {
                points.append(Point(position: StableHash.of(hash, number), endpoint: endpoint))
            }
        }
        // Equal positions have a fixed order, too.
        points.sort { ($0.position, $0.endpoint) < ($1.position, $1.endpoint) }
    }

    /// The first endpoint for the key that `accepts`; nil where none does. Most keys take one step.
    @inline(__always)
    func endpoint(for key: UInt64, where accepts: (Int) -> Bool) -> Int? {
        guard !points.isEmpty else { return nil }
        var low = 0
        var high = points.count
        while low < high {
            let middle = (low + high) >> 1
            if points[middle].position < key { low = middle + 1 } else { high = middle }
        }
        var previous: Int32 = -1
        for step in 0..<points.count {
            let index = low + step
            let endpoint = points[index < points.count ? index : index - points.count].endpoint
            if endpoint != previous && accepts(Int(endpoint)) { return Int(endpoint) }
            previous = endpoint
        }
        return nil
    }
}
