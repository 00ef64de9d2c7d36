// What swift-protobuf's plugin and its library use of Foundation, on FoundationEssentials alone:
// Foundation needs 60 MB in a program, most of them ICU's data. scripts/build-apps compiles both
// against this module in Foundation's place.
@_exported public import FoundationEssentials
@_exported public import Glibc

/// The standard streams.
public struct FileHandle: Sendable {
    private let descriptor: Int32

    /// Descriptor 0.
    public static let standardInput = FileHandle(descriptor: STDIN_FILENO)
    /// Descriptor 1.
    public static let standardOutput = FileHandle(descriptor: STDOUT_FILENO)
    /// Descriptor 2.
    public static let standardError = FileHandle(descriptor: STDERR_FILENO)

    /// Reads until the end, or a failure.
    public func readDataToEndOfFile() -> Data {
        var data = Data()
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return data }
            data.append(contentsOf: chunk[..<count])
        }
    }

    /// Writes all of the data. After a failure the program ends with status 1: protoc reports it.
    public func write(_ data: Data) {
        do { try write(contentsOf: data) } catch { exit(1) }
    }

    /// Writes all of the data.
    public func write(contentsOf data: Data) throws {
        var rest = Array(data)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
            rest = rest.dropFirst(count)
        }
    }
}

/// A set of white space.
public struct CharacterSet: Sendable {
    fileprivate let contains: @Sendable (Unicode.Scalar) -> Bool

    /// Unicode's category Zs, and the tab.
    public static let whitespaces = CharacterSet {
        $0 == "\t" || $0.properties.generalCategory == .spaceSeparator
    }
    /// U+000A to U+000D, U+0085, U+2028 and U+2029.
    public static let newlines = CharacterSet {
        (0x0A...0x0D).contains($0.value) || [0x85, 0x2028, 0x2029].contains($0.value)
    }
    /// The members of both.
    public static let whitespacesAndNewlines = CharacterSet {
        whitespaces.contains($0) || newlines.contains($0)
    }
}

extension StringProtocol {
    /// Without the members of the set at both ends.
    public func trimmingCharacters(in set: CharacterSet) -> String {
        let start = unicodeScalars.drop(while: set.contains)
        let trailing = start.reversed().prefix(while: set.contains).count
        return String(String.UnicodeScalarView(start.dropLast(trailing)))
    }

    /// Every member of the set separates two components, also if they are empty.
    public func components(separatedBy set: CharacterSet) -> [String] {
        unicodeScalars.split(omittingEmptySubsequences: false, whereSeparator: set.contains)
            .map { String(String.UnicodeScalarView($0)) }
    }

    /// The first character of that kind.
    public func range(of character: Character) -> Range<Index>? {
        firstIndex(of: character).map { $0..<index(after: $0) }
    }

    /// Compares code units, as protobuf's names and comments need no other comparison.
    public func replacingOccurrences(of target: String, with text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(utf8)[...]
        let (wanted, new) = (Array(target.utf8), Array(text.utf8))
        while !rest.isEmpty {
            if !wanted.isEmpty, rest.starts(with: wanted) {
                bytes += new
                rest = rest.dropFirst(wanted.count)
            } else {
                bytes.append(rest.removeFirst())
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension String {
    /// Formats one number; the only directive is `%x`.
    public init(format: String, _ value: some BinaryInteger) {
        self = format.replacingOccurrences(of: "%x", with: String(value, radix: 16))
    }
}
