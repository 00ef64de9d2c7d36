/// The order of weighted round robin: earliest deadline first, as gRFC A58 describes. Each endpoint
/// is a job whose period is one through its weight; the one with the next deadline is picked, and its
/// deadline moves by its period. A binary heap: O(log n) per pick, no allocation.
///
/// A58's later static stride scheduler needs no heap, but walks over all light endpoints while one is
/// heavy: O(n) for weights that differ much.
struct DeadlineSchedule: Sendable {
    private struct Job {
        var deadline: Double
        var period: Double
        var endpoint: Int32
    }

    private var heap: [Job] = []

    var isEmpty: Bool { heap.isEmpty }

    /// Begins anew. The first deadlines are random within the periods, so that the clients of one list
    /// do not all begin with the same endpoint.
    ///
    /// - Parameter endpoints: with weights above 0.
    mutating func rebuild(
        _ endpoints: some Collection<(endpoint: Int32, weight: Double)>,
        using random: inout PickSequence
    ) {
        heap.removeAll(keepingCapacity: true)
        for (endpoint, weight) in endpoints {
            let period = 1 / weight
            heap.append(
                Job(deadline: period * random.fraction(), period: period, endpoint: endpoint))
        }
        for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(index) }
    }

    /// The next endpoint; nil for an empty schedule.
    mutating func next() -> Int? {
        guard let first = heap.first else { return nil }
        heap[0].deadline = first.deadline + first.period
        sink(0)
        return Int(first.endpoint)
    }

    /// The next endpoint that was not tried. Those that were are passed over and lose their turn.
    mutating func next(except tried: TriedEndpoints) -> Int? {
        for _ in 0..<(heap.count + 4) {
            guard let endpoint = next() else { return nil }
            if !tried.contains(endpoint) { return endpoint }
        }
        return nil
    }

    private mutating func sink(_ start: Int) {
        let job = heap[start]
        var index = start
        while true {
            var child = 2 * index + 1
            if child >= heap.count { break }
            if child + 1 < heap.count, heap[child + 1].deadline < heap[child].deadline {
                child += 1
            }
            if heap[child].deadline >= job.deadline { break }
            heap[index] = heap[child]
            index = child
        }
        heap[index] = job
    }
}
