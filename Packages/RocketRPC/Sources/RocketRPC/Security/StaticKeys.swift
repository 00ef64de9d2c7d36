public import RocketBase
import RocketSystem
import Synchronization

/// An authenticator of a fixed set of keys, whose digests are in a file.
///
/// ```
/// # subject SHA-256 of the key: printf %s "$KEY" | sha256sum
/// billing   5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8
/// ```
///
/// Several lines may have the same subject, so that a key can be replaced. Keys must be random, with
/// 128 bits at least: whoever reads the file can try guesses (`openssl rand -base64 24` makes one).
public final class StaticKeys: RPCAuthenticator {
    /// The most keys of a file.
    public static let maxKeys = 1024

    private let file: String
    private let keys: Locked<[StaticKey]>
    private let reloads = Atomic<UInt64>(0)

    /// Reads the keys of a file. Blocks on the disk.
    ///
    /// - Throws: `RPCError` INTERNAL with the file and what is wrong: it can't be read, others than
    ///   its owner may read it (mode 0600 or less, owned by this user or root; a file of root may be
    ///   readable by its group, as systemd's credentials are), or a line is not valid.
    public init(file: String) throws(RPCError) {
        self.file = file
        keys = Locked(try Self.read(file))
    }

    /// Reads the file again, for example on SIGHUP. Keys that it does not contain any more are
    /// refused from then on. Blocks on the disk.
    ///
    /// - Throws: as `init`; the keys stay as they were.
    public func reload() throws(RPCError) {
        let new = try Self.read(file)
        keys.withLock { $0 = new }
        reloads.wrappingAdd(1, ordering: .releasing)
    }

    /// Changes with each reload.
    public var generation: UInt64 { reloads.load(ordering: .acquiring) }

    /// Compares the token's digest with those of all keys.
    ///
    /// - Throws: `RPCError` UNAUTHENTICATED for an unknown key.
    public func authenticate(_ token: String, _ peer: RPCPeer) throws -> RPCToken {
        let digest = SHA256.digest(of: [UInt8](token.utf8))
        var found: String?
        // All are compared, so that the time does not depend on which one it is.
        for key in keys.withLock({ $0 }) where SHA256.areEqual(key.digest, digest) {
            found = key.subject
        }
        guard let found else { throw RPCError(.unauthenticated, "the key is unknown") }
        return RPCToken(subject: found)
    }

    private static func read(_ file: String) throws(RPCError) -> [StaticKey] {
        let text: String
        do {
            guard let status = try FileSystem.status(of: file) else {
                throw RPCError(.internal, "the file of keys \(file) does not exist")
            }
            try check(status, file)
            let bytes = try FileContents.read(file, limit: maxFileBytes)
            guard bytes.count <= maxFileBytes else {
                throw RPCError(
                    .internal, "the file of keys \(file) has more than \(maxFileBytes) bytes")
            }
            text = String(decoding: bytes, as: UTF8.self)
        } catch let error as RPCError {
            throw error
        } catch {
            throw RPCError(.internal, "the file of keys \(file) can't be read", cause: error)
        }
        return try StaticKey.parse(text, file: file)
    }

    private static let maxFileBytes = 1 << 20

    private static func check(_ status: FileStatus, _ file: String) throws(RPCError) {
        let user = UserAccount.effectiveUID
        guard status.uid == user || status.uid == 0 else {
            throw RPCError(
                .internal,
                "the file of keys \(file) belongs to uid \(status.uid); expected \(user) or 0")
        }
        let others: UInt32 = status.uid == 0 ? 0o037 : 0o077
        guard status.mode & others == 0 else {
            throw RPCError(
                .internal,
                "the file of keys \(file) has the mode 0\(String(status.mode, radix: 8)); expected "
                    + "0600: only its owner may read it")
        }
    }
}

/// A line of the file. A value.
struct StaticKey: Hashable, Sendable {
    let subject: String
    let digest: [UInt8]

    /// Reads the lines of a file.
    ///
    /// - Throws: `RPCError` INTERNAL with file, line, and what was expected.
    static func parse(_ text: String, file: String) throws(RPCError) -> [StaticKey] {
        var (keys, digests) = ([StaticKey](), Set<[UInt8]>())
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            func fail(_ reason: String) -> RPCError {
                RPCError(.internal, "the file of keys \(file), line \(index + 1): \(reason)")
            }
            // The digest is not shown: it may be a key that somebody has forgotten to hash.
            guard words.count == 2, let digest = X509Fingerprint(String(words[1])) else {
                throw fail("expected a subject, a blank and the 64 hexadecimal digits of a SHA-256")
            }
            guard first.utf8.count <= 255,
                !first.unicodeScalars.contains(where: PrintableText.isUnsafe)
            else { throw fail("expected a subject of 1 to 255 printable bytes") }
            guard digests.insert(digest.bytes).inserted else {
                throw fail("the key of \(first) is in the file twice")
            }
            guard keys.count < StaticKeys.maxKeys else {
                throw fail("there are more than \(StaticKeys.maxKeys) keys")
            }
            keys.append(StaticKey(subject: String(first), digest: digest.bytes))
        }
        if keys.isEmpty { throw RPCError(.internal, "the file of keys \(file) contains no key") }
        return keys
    }
}
