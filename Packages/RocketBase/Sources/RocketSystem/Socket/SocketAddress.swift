import CRocketSystem

/// Where a socket is or goes, as the kernel sees it: numbers in host order, no text.
///
/// RocketTCP's `NetAddress` is the form that people read and write.
public enum SocketAddress: Hashable, Sendable {
    case ipv4(bits: UInt32, port: UInt16)
    /// `scope` is an interface index, 0 where none is needed.
    case ipv6(high: UInt64, low: UInt64, port: UInt16, scope: UInt32)
    /// A path in the file system, at most `unixNameLimitBytes` bytes of UTF-8.
    case unix(path: String)
    /// A name in Linux's abstract namespace, without the leading NUL; the same limit.
    case abstract(name: String)
    /// The end of a Unix socket that was never bound.
    case unnamed

    /// The most bytes that a Unix path or abstract name may have.
    public static let unixNameLimitBytes = Int(ROCKET_UNIX_PATH_BYTES)

    var family: Int32 {
        switch self {
        case .ipv4: ROCKET_FAMILY_IPV4
        case .ipv6: ROCKET_FAMILY_IPV6
        case .unix: ROCKET_FAMILY_UNIX
        case .abstract: ROCKET_FAMILY_ABSTRACT
        case .unnamed: ROCKET_FAMILY_UNNAMED
        }
    }

    /// The C form. A name over the limit becomes a length that bind and connect refuse.
    var flat: rocket_address {
        var flat = rocket_address()
        flat.family = family
        switch self {
        case .ipv4(let bits, let port):
            flat.ipv4 = bits
            flat.port = port
        case .ipv6(let high, let low, let port, let scope):
            flat.ipv6_high = high
            flat.ipv6_low = low
            flat.port = port
            flat.scope = scope
        case .unix(let name), .abstract(let name):
            flat.path_bytes = UInt16(clamping: name.utf8.count)
            // SAFETY: the copy is cut at the array's size.
            unsafe withUnsafeMutableBytes(of: &flat.path) { path in
                for (index, byte) in name.utf8.prefix(path.count).enumerated() {
                    unsafe path[index] = byte
                }
            }
        case .unnamed: break
        }
        return flat
    }

    init(_ flat: rocket_address) {
        switch flat.family {
        case ROCKET_FAMILY_IPV4:
            self = .ipv4(bits: flat.ipv4, port: flat.port)
        case ROCKET_FAMILY_IPV6:
            self = .ipv6(
                high: flat.ipv6_high, low: flat.ipv6_low, port: flat.port, scope: flat.scope)
        case ROCKET_FAMILY_UNIX: self = .unix(path: Self.name(of: flat))
        case ROCKET_FAMILY_ABSTRACT: self = .abstract(name: Self.name(of: flat))
        default: self = .unnamed
        }
    }

    private static func name(of flat: rocket_address) -> String {
        // SAFETY: path_bytes never exceeds the array (rocket_socket.c).
        unsafe withUnsafeBytes(of: flat.path) { path in
            unsafe String(decoding: path.prefix(Int(flat.path_bytes)), as: UTF8.self)
        }
    }
}
