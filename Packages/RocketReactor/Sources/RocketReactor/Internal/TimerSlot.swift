/// Where a timer's payload lies while it waits.
@frozen @usableFromInline
struct TimerSlot<Payload> {
    @usableFromInline var payload: Payload?
    /// Nanoseconds between firings; 0 for a timer that fires once.
    @usableFromInline var interval: UInt64
    /// Rises when the slot is freed: ids and heap entries of before name nothing from then on.
    @usableFromInline var generation: UInt32 = 0
    @usableFromInline var nextFree: UInt32 = Self.none

    /// No slot.
    @inlinable static var none: UInt32 { .max }

    @inlinable
    init(payload: Payload, interval: UInt64) {
        self.payload = payload
        self.interval = interval
    }
}

extension TimerSlot: Sendable where Payload: Sendable {}
