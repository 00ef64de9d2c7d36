import RocketSystem

/// A hash of everything that has happened, in its order (FNV-1a, 64 bits). A value.
struct TraceHash: Hashable, Sendable {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func combine(_ number: UInt64) {
        var rest = number
        for _ in 0..<8 {
            value = (value ^ (rest & 0xFF)) &* 0x100_0000_01B3
            rest >>= 8
        }
    }

    mutating func combine(_ text: String) {
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
}

/// What a world has done: a hash over all of it, and the last events as text. A value.
struct Trace {
    private(set) var hash = TraceHash()
    /// The last events, of which the oldest is overwritten first.
    private var recent: [(time: MonotonicTime, text: () -> String)] = []
    private var next = 0

    /// Events that are kept as text.
    static let kept = 50

    /// Records an event.
    ///
    /// - Parameters:
    ///   - kind: what has happened.
    ///   - numbers: what distinguishes it from others of its kind.
    ///   - text: evaluated only if the trace is read.
    mutating func record(
        at time: MonotonicTime, _ kind: StaticString, _ numbers: [UInt64],
        text: @escaping () -> String
    ) {
        hash.combine(time.nanoseconds)
        hash.combine(kind.description)
        for number in numbers { hash.combine(number) }
        if recent.count < Self.kept {
            recent.append((time, text))
        } else {
            recent[next] = (time, text)
            next = (next + 1) % Self.kept
        }
    }

    /// Forgets the events, but not their hash: their texts refer to hosts and loops.
    mutating func forgetTexts() {
        recent = []
        next = 0
    }

    /// The last events, one per line, the oldest first: seconds since the world began, and what
    /// happened.
    func lines(since start: MonotonicTime) -> [String] {
        (0..<recent.count).map { offset in
            let (time, text) = recent[(next + offset) % recent.count]
            return "\(seconds(time - start))  \(text())"
        }
    }
}

/// `12.345678` for a duration.
func seconds(_ duration: Duration) -> String {
    let microseconds = duration.wholeNanoseconds / 1000
    let (whole, part) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
    let digits = String(part.magnitude)
    return "\(whole)." + String(repeating: "0", count: 6 - digits.count) + digits
}
