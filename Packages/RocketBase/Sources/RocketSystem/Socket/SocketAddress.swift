import CRocketSystem

/// The address of a socket in the form of the kernel: numbers in host byte order, no text.
///
/// `NetAddress` of RocketTCP converts it to and from text.
public enum SocketAddress: Hashable, Sendable {
    case ipv4(bits: UInt32, port: UInt16)
    /// `scope` is an interface index; 0: none.
    case ipv6(high: UInt64, low: UInt64, port: UInt16, scope: UInt32)
    /// A path in the file system, at most `unixNameLimitBytes` bytes of UTF-8.
    case unix(path: String)
    /// A name in the abstract namespace of Linux, without the leading NUL, with the same limit.
    case abstract(name: String)
    /// The address of a Unix socket that was never bound.
    case unnamed

    /// The largest size of a Unix path or abstract name in bytes.
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

    /// The address as a C struct. bind and connect reject the length of a name over the limit.
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
            // SAFETY: the copy is limited to the size of the array.
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

/// The file of a bound Unix socket. Any thread.
public enum SocketFile {
    /// Returns whether the path is a socket; false for any other kind of file.
    ///
    /// - Throws: `SystemError`; ENOENT when there is no file.
    public static func isSocket(_ path: String) throws(SystemError) -> Bool {
        try check("lstat \(path)", unsafe rocket_path_is_socket(path)) == 1
    }

    /// Removes the file (unlink(2)).
    public static func remove(_ path: String) throws(SystemError) {
        try check("unlink \(path)", unsafe rocket_remove_path(path))
    }

    /// Returns the permissions of the file.
    public static func mode(of path: String) throws(SystemError) -> UInt32 {
        UInt32(try check("lstat \(path)", unsafe rocket_path_mode(path)))
    }

    /// Sets the permissions of the file (chmod(2)), such as `0o660`.
    public static func setMode(_ mode: UInt32, of path: String) throws(SystemError) {
        try check("chmod \(path)", unsafe rocket_set_path_mode(path, mode))
    }
}
