import RocketBase
import RocketCodec
import RocketRPC
import RocketSystem

/// Reads the fields of `trace/otlp/headers_file`: lines `NAME: VALUE`.
enum HeadersFile {
    private static let maxBytes = 16 << 10

    /// Reads a file. Blocks on the disk.
    ///
    /// - Throws: `RPCError` CHANNEL_INIT with the file and what is wrong.
    static func read(_ path: String) throws(RPCError) -> RPCMetadata {
        let text: String
        do {
            let file = try CredentialPath.resolved(
                path, in: ProcessEnvironment.current["CREDENTIALS_DIRECTORY"])
            guard let status = try FileSystem.status(of: file) else {
                throw failure(path, "does not exist")
            }
            guard status.mode & 0o007 == 0 else {
                throw failure(
                    path, "has the mode 0\(String(status.mode, radix: 8)); expected 0600 or 0640")
            }
            let bytes = try FileContents.read(file, limit: maxBytes)
            guard bytes.count <= maxBytes else {
                throw failure(path, "has more than \(maxBytes) bytes")
            }
            text = String(decoding: bytes, as: UTF8.self)
        } catch let error as RPCError {
            throw error
        } catch {
            throw RPCError(.channelInit, "the file of headers \(path) can't be read", cause: error)
        }
        return try parse(text, path)
    }

    /// Reads the lines of a file. The values are in no error: they may be secrets.
    static func parse(_ text: String, _ path: String) throws(RPCError) -> RPCMetadata {
        var headers = RPCMetadata()
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let line = trimmed(line)
            if line.isEmpty || line.hasPrefix("#") { continue }
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(trimmed(parts[0])).lowercased()
            guard parts.count == 2, RPCMetadata.isValid(key: name), !trimmed(parts[1]).isEmpty
            else {
                throw failure(path, "has in line \(index + 1) no NAME: VALUE")
            }
            headers.add(String(trimmed(parts[1])), for: name)
        }
        return headers
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let start = text.drop(while: \.isWhitespace)
        return start.lastIndex { !$0.isWhitespace }.map { start[...$0] } ?? ""
    }

    private static func failure(_ path: String, _ reason: String) -> RPCError {
        RPCError(.channelInit, "the file of headers \(path) (trace/otlp/headers_file) \(reason)")
    }
}
