import CRocketSystem
import Glibc

/// A date of the proleptic Gregorian calendar without a time zone.
public struct CivilDate: Hashable, Comparable, Sendable {
    /// The date as `YYYYMMDD`: 20260102 for 2 January 2026.
    public let number: Int

    /// - Parameter number: the date as `YYYYMMDD`; not validated.
    public init(number: Int) { self.number = number }

    /// The date of the moment `seconds` after 1970-01-01T00:00:00Z, in UTC. Negative: before 1970.
    public init(secondsSince1970 seconds: Int64) {
        var fields: (Int32, Int32, Int32, Int32, Int32, Int32) = (0, 0, 0, 0, 0, 0)
        // SAFETY: the function fills six Int32, which is the layout of the tuple.
        unsafe withUnsafeMutableBytes(of: &fields) {
            if let base = $0.baseAddress {
                unsafe rocket_civil(seconds, base.assumingMemoryBound(to: Int32.self))
            }
        }
        number = Int(fields.0) * 10_000 + Int(fields.1) * 100 + Int(fields.2)
    }

    /// The date of `time` in a zone that is `utcOffsetSeconds` ahead of UTC.
    public init(at time: WallTime, utcOffsetSeconds: Int32) {
        var seconds = time.nanoseconds / 1_000_000_000
        if time.nanoseconds % 1_000_000_000 < 0 { seconds -= 1 }
        self.init(secondsSince1970: seconds + Int64(utcOffsetSeconds))
    }

    /// Compares by age: the earlier date is the lesser.
    public static func < (a: CivilDate, b: CivilDate) -> Bool { a.number < b.number }
}

/// The time zone of the system (TZ, /etc/localtime).
public enum LocalTime {
    /// Returns by how many seconds local time is ahead of UTC at `time`; 0 when the zone is
    /// unknown.
    ///
    /// Takes the zone lock of libc, so hot paths cache the result.
    public static func utcOffsetSeconds(at time: WallTime) -> Int32 {
        var seconds = time_t(time.nanoseconds / 1_000_000_000)
        var fields = unsafe tm()
        // SAFETY: localtime_r reads one value and fills one struct.
        guard unsafe localtime_r(&seconds, &fields) != nil else { return 0 }
        return unsafe Int32(fields.tm_gmtoff)
    }
}
