import RocketBase
import RocketCodec
import RocketDynamic
import RocketProgram
import RocketRPC
import RocketSystem

/// What a load calls: methods with their requests, checked and, where they have no placeholders,
/// encoded. Any thread.
struct LoadCalls: Sendable {
    /// A class: each call refers to its method, and copies of what it has would cost more.
    final class Method: Sendable {
        let method: DynamicMethod
        let kind: RPCMethodKind
        let streamsRequests: Bool
        let rpc: RPCMethod<EncodedMessage, SkippedMessage>
        let weight: Int
        /// The longest that a call may take.
        let timeout: Duration
        fileprivate let requests: [Request]

        fileprivate init(
            _ method: DynamicMethod, weight: Int, timeout: Duration, _ requests: [Request]
        ) {
            (self.method, self.weight, self.timeout) = (method, weight, timeout)
            self.requests = requests
            (kind, streamsRequests) = (method.kind, method.streamsRequests)
            rpc = method.loadRPC()
        }
    }

    fileprivate enum Request: Sendable {
        case encoded(EncodedMessage)
        case template(LoadTemplate)
        /// Of a method that takes a stream.
        case stream([EncodedMessage])
        case streamTemplate(StreamTemplate)
    }

    /// The messages of a stream: one array, or an object each.
    fileprivate struct StreamTemplate: Sendable {
        let parts: [LoadTemplate]
        let isArray: Bool

        /// Returns the texts of the messages.
        func texts(_ values: inout LoadValues) throws(ProgramFailure) -> [String] {
            var texts: [String] = []
            for part in parts { texts.append(part.text(&values)) }
            if !isArray { return texts }
            guard let elements = JSONElements.split(texts[0]), !elements.isEmpty else {
                throw ProgramFailure(
                    "the messages of a stream are no JSON array with at least one element",
                    status: .dataError)
            }
            return elements
        }
    }

    /// The messages of one stream, at least one.
    struct Messages: Sendable {
        fileprivate let given: [EncodedMessage]
        let count: Int

        /// Those that were given, again from the first one where more are wanted.
        subscript(index: Int) -> EncodedMessage { given[index % given.count] }
    }

    /// The most requests of one method: lines of its file.
    static let maxRequests = 1_000_000

    let methods: [Method]
    private let schema: DynamicSchema
    let seed: UInt64
    private let metadata: RPCMetadata
    /// The entries of the metadata that have placeholders.
    private let metadataTemplates: [(key: String, value: LoadTemplate)]
    private let messagesPerStream: Int?

    /// - Parameters:
    ///   - timeout: of the methods that have none of their own.
    ///   - seed: of the values of placeholders.
    ///   - messagesPerStream: of requests; nil: as many as were given.
    /// - Throws: `ProgramFailure` for an unknown method, and a request that is wrong or can't be read.
    init(
        _ mix: LoadMix, schema: DynamicSchema, timeout: Duration, metadata: RPCMetadata = .empty,
        seed: UInt64, messagesPerStream: Int? = nil
    ) throws(ProgramFailure) {
        self.schema = schema
        self.messagesPerStream = messagesPerStream
        self.seed = seed
        var constant = RPCMetadata()
        var templates: [(String, LoadTemplate)] = []
        for entry in metadata.entries {
            let template = try LoadTemplate(entry.value)
            if template.isConstant {
                constant.add(entry.value, for: entry.key)
            } else {
                templates.append((entry.key, template))
            }
        }
        self.metadata = constant
        metadataTemplates = templates
        var methods: [Method] = []
        for entry in mix.entries {
            let method: DynamicMethod
            do { method = try schema.method(named: entry.method) } catch {
                throw ProgramFailure(error.description, status: .failure)
            }
            methods.append(
                Method(
                    method, weight: entry.weight, timeout: entry.timeout?.duration ?? timeout,
                    try Self.requests(entry.request, of: method, schema, seed)))
        }
        self.methods = methods
    }

    private static func requests(
        _ argument: String, of method: DynamicMethod, _ schema: DynamicSchema, _ seed: UInt64
    ) throws(ProgramFailure) -> [Request] {
        guard argument.hasPrefix("@") else {
            return [try request(argument, of: method, schema, seed)]
        }
        let file = String(argument.dropFirst())
        let text = try RequestInput.text(ofFile: file)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
            .filter { $0.element.contains { !$0.isWhitespace } }
        if lines.isEmpty || lines.count > maxRequests {
            throw ProgramFailure(
                "\(file) has \(lines.count) requests; allowed: 1 to \(maxRequests)",
                status: .dataError)
        }
        let arrays = lines.count { isArray($0.element) }
        if method.streamsRequests, arrays > 0, arrays < lines.count {
            throw ProgramFailure(
                "\(file) has lines that are arrays, each a stream, and others that are not",
                status: .dataError)
        }
        var requests: [Request] = []
        var templates: [LoadTemplate] = []
        for (number, line) in lines {
            do {
                if method.streamsRequests, arrays == 0 {
                    // For its place in the file; encoded once more with the others.
                    _ = try request(String(line), of: method, schema, seed)
                    templates.append(try LoadTemplate(String(line)))
                } else {
                    requests.append(try request(String(line), of: method, schema, seed))
                }
            } catch {
                throw ProgramFailure("\(file):\(number + 1): \(error)", status: error.status)
            }
        }
        if templates.isEmpty { return requests }
        return [try stream(.init(parts: templates, isArray: false), of: method, schema, seed)]
    }

    private static func isArray(_ text: some StringProtocol) -> Bool {
        text.first { !$0.isWhitespace } == "["
    }

    /// Checks a request by encoding that of the first call.
    private static func request(
        _ text: String, of method: DynamicMethod, _ schema: DynamicSchema, _ seed: UInt64
    ) throws(ProgramFailure) -> Request {
        let template = try LoadTemplate(text)
        if method.streamsRequests {
            return try stream(
                .init(parts: [template], isArray: isArray(text)), of: method, schema, seed)
        }
        var values = LoadValues(sequence: 0, seed: seed)
        let encoded = try DynamicCall.encoded(template.text(&values), of: method, in: schema)
        return template.isConstant ? .encoded(encoded) : .template(template)
    }

    private static func stream(
        _ template: StreamTemplate, of method: DynamicMethod, _ schema: DynamicSchema,
        _ seed: UInt64
    ) throws(ProgramFailure) -> Request {
        var values = LoadValues(sequence: 0, seed: seed)
        let messages = try encoded(template.texts(&values), of: method, schema)
        return template.parts.allSatisfy(\.isConstant)
            ? .stream(messages) : .streamTemplate(template)
    }

    private static func encoded(
        _ texts: [String], of method: DynamicMethod, _ schema: DynamicSchema
    ) throws(ProgramFailure) -> [EncodedMessage] {
        var messages: [EncodedMessage] = []
        for text in texts { messages.append(try DynamicCall.encoded(text, of: method, in: schema)) }
        return messages
    }

    /// Returns the messages of a call of a method that takes a stream; as `request`.
    func messages(
        _ index: Int, turn: Int, sequence: Int
    ) throws(ProgramFailure) -> Messages {
        let method = methods[index]
        let given: [EncodedMessage]
        switch method.requests[turn % method.requests.count] {
        case .encoded(let message): given = [message]
        case .stream(let messages): given = messages
        case .template(let template):
            var values = LoadValues(sequence: sequence, seed: seed)
            given = try Self.encoded([template.text(&values)], of: method.method, schema)
        case .streamTemplate(let template):
            var values = LoadValues(sequence: sequence, seed: seed)
            given = try Self.encoded(template.texts(&values), of: method.method, schema)
        }
        return Messages(given: given, count: messagesPerStream ?? given.count)
    }

    /// Returns the request of a call of a method that takes one.
    ///
    /// - Parameters:
    ///   - index: that of the method.
    ///   - turn: how many calls of the method were made before it.
    ///   - sequence: the number of the call.
    /// - Throws: `ProgramFailure` where the values of placeholders make a request that is wrong.
    func request(
        _ index: Int, turn: Int, sequence: Int
    ) throws(ProgramFailure) -> EncodedMessage {
        let method = methods[index]
        switch method.requests[turn % method.requests.count] {
        case .encoded(let request): return request
        case .template(let template):
            var values = LoadValues(sequence: sequence, seed: seed)
            return try DynamicCall.encoded(
                template.text(&values), of: method.method, in: schema)
        case .stream, .streamTemplate:
            throw ProgramFailure("\(method.method.fullName) takes a stream", status: .usage)
        }
    }

    /// Returns the metadata of a call.
    func metadata(sequence: Int) -> RPCMetadata {
        if metadataTemplates.isEmpty { return metadata }
        var metadata = metadata
        // Other values than those of the request.
        var values = LoadValues(sequence: sequence, seed: ~seed)
        for (key, value) in metadataTemplates { metadata.add(value.text(&values), for: key) }
        return metadata
    }
}
