import RocketSystem

/// The id of an order: decimal digits only, unique for the life of the store, growing with time.
///
/// The first eight digits are the UTC day on which the order was made (`20261121`); the rest, at
/// least ten digits with leading zeros, is its sequence number in the store: `202611210000000042`
/// is order 42. The sequence number alone is unique, so no two orders share an id whatever the
/// clock does.
public struct OrderID: Hashable, Sendable, CustomStringConvertible {
    /// The sequence number in the store: 1 or more, never reused.
    package let sequence: Int64
    /// The UTC day as a number, `yyyymmdd`.
    package let day: Int64

    private static let dayDigits = 8
    private static let sequenceDigits = 10

    package init(sequence: Int64, createdMilliseconds: Int64) {
        self.sequence = sequence
        self.day = Self.day(ofMilliseconds: createdMilliseconds)
    }

    /// Parses the format of `description`; nil for any other text.
    public init?(_ text: String) {
        let digits = text.utf8
        guard (Self.dayDigits + Self.sequenceDigits...Self.dayDigits + 19) ~= digits.count,
            digits.allSatisfy({ 0x30...0x39 ~= $0 }),
            let day = Int64(text.prefix(Self.dayDigits)),
            let sequence = Int64(text.dropFirst(Self.dayDigits)),
            sequence > 0
        else { return nil }
        self.sequence = sequence
        self.day = day
        // Each order has one id only: further leading zeros are invalid.
        guard description.utf8.count == digits.count else { return nil }
    }

    /// The digits.
    public var description: String {
        var text = [UInt8](repeating: 0x30, count: Self.dayDigits + 19)
        var start = text.count
        func put(_ number: Int64, digits: Int) {
            let first = start - digits
            var rest = number
            while rest > 0, start > 0 {
                start -= 1
                text[start] = UInt8(truncatingIfNeeded: 0x30 + rest % 10)
                rest /= 10
            }
            start = min(start, first)
        }
        put(sequence, digits: Self.sequenceDigits)
        put(day, digits: Self.dayDigits)
        return String(decoding: text[start...], as: UTF8.self)
    }

    /// Returns the proleptic Gregorian day of a Unix time, clamped to the years 1000 to 9999, so
    /// that it always has eight digits.
    private static func day(ofMilliseconds milliseconds: Int64) -> Int64 {
        // Rounded down: a time before 1970 belongs to the day in which it lies.
        let whole = milliseconds / 1000 - (milliseconds % 1000 < 0 ? 1 : 0)
        let seconds = whole.clamped(to: -30_610_224_000...253_402_300_799)
        return Int64(CivilDate(secondsSince1970: seconds).number)
    }
}

extension Comparable {
    fileprivate func clamped(to range: ClosedRange<Self>) -> Self {
        min(max(self, range.lowerBound), range.upperBound)
    }
}
