import RocketProgram
import RocketSystem

/// The requests of a call as JSON: arguments, files and standard input. For one reader at a time.
final class RequestInput: Sendable {
    /// The longest file, in bytes.
    static let maxFileBytes = 128 << 20

    private enum Source {
        case text(String)
        case lines(InputLines)
    }

    private let streams: Bool
    /// What was opened and not yet read, the next one last.
    private let sources = Locked<[Source]>([])
    /// The arguments that were not yet opened, the next one last.
    private let rest: Locked<[String]>
    private let standardInput: InputLines

    /// - Parameters:
    ///   - arguments: JSON, `@FILE` or `-`; none: `{}`, or standard input for a stream.
    ///   - streams: whether each line of a file or of standard input is a request.
    init(
        _ arguments: [String], streams: Bool, standardInput: InputLines = InputLines()
    ) {
        self.streams = streams
        self.standardInput = standardInput
        let all = arguments.isEmpty ? [streams ? "-" : "{}"] : arguments
        rest = Locked(all.reversed())
    }

    /// Returns the next request; nil: there are no more. Waits for standard input.
    ///
    /// - Throws: `ProgramFailure` for what can't be read.
    func next() async throws(ProgramFailure) -> String? {
        while true {
            if let source = sources.withLock({ $0.last }) {
                switch source {
                case .text(let text):
                    sources.withLock { _ = $0.popLast() }
                    return text
                case .lines(let lines):
                    if let line = try await lines.next() { return line }
                    sources.withLock { _ = $0.popLast() }
                }
                continue
            }
            guard let argument = rest.withLock({ $0.popLast() }) else { return nil }
            try await open(argument)
        }
    }

    private func open(_ argument: String) async throws(ProgramFailure) {
        if argument == "-" {
            if streams {
                sources.withLock { [standardInput] in $0.append(.lines(standardInput)) }
                return
            }
            var text = ""
            while let line = try await standardInput.next() { text += line + "\n" }
            sources.withLock { [text] in $0.append(.text(text)) }
            return
        }
        guard argument.hasPrefix("@") else {
            sources.withLock { $0.append(.text(argument)) }
            return
        }
        let texts = try Self.file(String(argument.dropFirst()), isLines: streams)
        sources.withLock { $0.append(contentsOf: texts.reversed().map(Source.text)) }
    }

    /// Reads a file: all of it, or its lines that are not blank.
    private static func file(
        _ path: String, isLines: Bool
    ) throws(ProgramFailure) -> [String] {
        let text = try text(ofFile: path)
        if !isLines { return [text] }
        return text.split(separator: "\n").map(String.init)
            .filter { $0.contains { !$0.isWhitespace } }
    }

    /// Returns the text of a file.
    ///
    /// - Throws: `ProgramFailure` for one that can't be read, is too long, or is no UTF-8.
    static func text(
        ofFile path: String, limit: Int = maxFileBytes
    ) throws(ProgramFailure) -> String {
        let bytes: [UInt8]
        do { bytes = try FileContents.read(path, limit: limit) } catch {
            throw ProgramFailure("\(path) can't be read: \(error.errno.text)", status: .noInput)
        }
        if bytes.count > limit {
            throw ProgramFailure("\(path) has more than \(limit) bytes", status: .dataError)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ProgramFailure("\(path) is not valid UTF-8", status: .dataError)
        }
        return text
    }
}
