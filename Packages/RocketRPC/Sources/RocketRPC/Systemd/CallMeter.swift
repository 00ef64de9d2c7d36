import RocketSystem
import SwiftProtobuf

/// Measures a server's calls for the line that its service manager shows: how many, how long, how
/// many at once. The outermost interceptor of a server that has such a manager; others have none.
///
/// Any thread: each counts in a place of its own, as far as there are places.
final class CallMeter: RPCSynchronousInterceptor {
    private let time: any TimeSource
    private let places: [Place]

    init(time: any TimeSource, places: Int = 16) {
        self.time = time
        self.places = (0..<max(1, places)).map { _ in Place() }
    }

    nonisolated(nonsending) func intercept<
        Request: Message & Sendable, Response: Message & Sendable
    >(
        _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
    ) async throws -> Response {
        let start = began()
        defer { ended(after: time.monotonic() - start) }
        return try await next(request, call)
    }

    func intercept<Request: Message & Sendable, Response: Message & Sendable>(
        _ request: Request, _ call: RPCController,
        next: RPCSynchronousHandler<Request, Response>
    ) throws -> Response {
        let start = began()
        defer { ended(after: time.monotonic() - start) }
        return try next(request, call)
    }

    private func began() -> MonotonicTime {
        place.counts.withLock { $0.inFlight += 1 }
        return time.monotonic()
    }

    private func ended(after duration: Duration) {
        let microseconds = duration.wholeNanoseconds / 1000
        place.counts.withLock { counts in
            counts.inFlight -= 1
            counts.durations.add(microseconds)
        }
    }

    /// What ended since the last time, and what runs now.
    func take() -> (durations: LatencyHistogram, inFlight: Int) {
        var all = LatencyHistogram()
        var inFlight = 0
        for place in places {
            place.counts.withLock { counts in
                all.add(counts.durations)
                counts.durations = LatencyHistogram()
                inFlight += counts.inFlight
            }
        }
        return (all, inFlight)
    }

    private var place: Place { places[CurrentThread.ordinal % places.count] }

    private final class Place: Sendable {
        let counts = Locked(Counts())
    }

    private struct Counts {
        var durations = LatencyHistogram()
        /// Calls that began here less those that ended here: only the sum over all places counts.
        var inFlight = 0
    }
}
