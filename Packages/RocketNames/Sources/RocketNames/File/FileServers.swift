import RocketBase
import RocketRPC
import RocketSystem

/// The servers of a file, as far as they were readable last. A value: what was read goes in, what to
/// report comes out.
struct FileServers {
    /// A larger file is refused, in bytes.
    static let maxBytes = 4 << 20
    /// The most servers of a file.
    static let maxServers = 10_000

    let path: String
    private var lastBytes: [UInt8]?
    private var lastFailure: String?

    init(path: String) { self.path = path }

    /// Takes what was read.
    ///
    /// - Returns: the servers, or what is wrong with the file; nil when that is what was returned
    ///   last.
    mutating func take(
        _ read: Result<[UInt8], SystemError>
    ) -> Result<[RPCEndpoint], RPCError>? {
        let bytes: [UInt8]
        switch read {
        case .success(let read): bytes = read
        case .failure(let error):
            lastBytes = nil
            return fail(error.description)
        }
        if bytes == lastBytes { return nil }
        lastBytes = bytes
        do throws(FileServersError) {
            let endpoints = try Self.parse(bytes)
            lastFailure = nil
            return .success(endpoints)
        } catch {
            return fail("\(path)\(error)")
        }
    }

    private mutating func fail(_ text: String) -> Result<[RPCEndpoint], RPCError>? {
        if text == lastFailure { return nil }
        lastFailure = text
        return .failure(RPCError(.unavailable, text))
    }

    /// Reads one server per line; blank lines, and what follows `#`, are ignored. A line that begins
    /// with `{` is JSON.
    ///
    /// - Throws: the first line that is wrong. One without a line end at the end of the file is:
    ///   the file may be half-written.
    static func parse(_ bytes: [UInt8]) throws(FileServersError) -> [RPCEndpoint] {
        if bytes.count > maxBytes {
            throw FileServersError(line: nil, "has more than \(maxBytes) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw FileServersError(line: nil, "is not UTF-8")
        }
        var endpoints: [RPCEndpoint] = []
        var number = 0
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            number += 1
            guard let content = content(of: line) else { continue }
            if endpoints.count == maxServers {
                throw FileServersError(line: number, "has more than \(maxServers) servers")
            }
            do throws(AnnouncementError) {
                let announcement =
                    content.first == "{"
                    ? try Announcement(json: String(content)) : try Announcement(line: content)
                endpoints.append(announcement.endpoint)
            } catch {
                throw FileServersError(line: number, error.description)
            }
        }
        if !bytes.isEmpty, text.last?.isNewline != true {
            throw FileServersError(
                line: number, "has no line end: the file may be only half-written")
        }
        return endpoints
    }

    /// What a line says; nil: nothing.
    static func content(of line: Substring) -> Substring? {
        let line = line.drop { $0.isWhitespace }
        // JSON may contain a #.
        let content = line.first == "{" ? line : line.prefix { $0 != "#" }
        return content.allSatisfy(\.isWhitespace) ? nil : content
    }
}

/// What is wrong with a file of servers.
struct FileServersError: Error, Hashable, CustomStringConvertible {
    /// `, line 3: address "x" …`; `: is not UTF-8`.
    let description: String

    init(line: Int?, _ reason: String) {
        description = (line.map { ", line \($0): " } ?? ": ") + reason
    }
}
