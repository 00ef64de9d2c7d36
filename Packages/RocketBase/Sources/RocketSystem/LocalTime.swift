import CRocketSystem
import Glibc

/// A date of the calendar, no zone: ordered as `YYYYMMDD` is.
public struct CivilDate: Hashable, Comparable, Sendable {
    /// 20260102 for 2 January 2026.
    public let number: Int

    /// - Parameter number: `YYYYMMDD`.
    public init(number: Int) { self.number = number }

    /// The day of a moment where clocks are `utcOffsetSeconds` ahead of UTC.
    public init(at time: WallTime, utcOffsetSeconds: Int32) {
        var seconds = time.nanoseconds / 1_000_000_000
        if time.nanoseconds % 1_000_000_000 < 0 { seconds -= 1 }
        var fields: (Int32, Int32, Int32, Int32, Int32, Int32) = (0, 0, 0, 0, 0, 0)
        // SAFETY: the function fills six Int32, which the tuple is.
        unsafe withUnsafeMutableBytes(of: &fields) {
            if let base = $0.baseAddress {
                unsafe rocket_civil(
                    seconds + Int64(utcOffsetSeconds), base.assumingMemoryBound(to: Int32.self))
            }
        }
        number = Int(fields.0) * 10_000 + Int(fields.1) * 100 + Int(fields.2)
    }

    /// Earlier first.
    public static func < (a: CivilDate, b: CivilDate) -> Bool { a.number < b.number }
}

/// How far local clocks are ahead of UTC: the system's zone (TZ, /etc/localtime).
public enum LocalTime {
    /// In seconds, at that moment. Takes libc's zone lock: not for hot paths.
    public static func utcOffsetSeconds(at time: WallTime) -> Int32 {
        var seconds = time_t(time.nanoseconds / 1_000_000_000)
        var fields = unsafe tm()
        // SAFETY: localtime_r reads one value and fills one struct.
        guard unsafe localtime_r(&seconds, &fields) != nil else { return 0 }
        return unsafe Int32(fields.tm_gmtoff)
    }
}
