import RocketBase
import RocketCodec
import RocketDynamic
import RocketProgram
import RocketRPC
import RocketSystem

/// What a load calls: methods with their requests, checked and, where they have no placeholders,
/// encoded. Any thread.
struct LoadCalls: Sendable {
    struct Method: Sendable {
        let method: DynamicMethod
        let rpc: RPCMethod<EncodedMessage, EncodedMessage>
        let weight: Int
        /// The longest that a call may take.
        let timeout: Duration
        fileprivate let requests: [Request]
    }

    fileprivate enum Request: Sendable {
        case encoded(EncodedMessage)
        case template(LoadTemplate)
    }

    /// The most requests of one method: lines of its file.
    static let maxRequests = 1_000_000

    let methods: [Method]
    private let schema: DynamicSchema
    let seed: UInt64
    private let metadata: RPCMetadata
    /// The entries of the metadata that have placeholders.
    private let metadataTemplates: [(key: String, value: LoadTemplate)]

    /// - Parameters:
    ///   - timeout: of the methods that have none of their own.
    ///   - seed: of the values of placeholders.
    /// - Throws: `ProgramFailure` for an unknown method, one with a stream of requests, and a request
    ///   that is wrong or can't be read.
    init(
        _ mix: LoadMix, schema: DynamicSchema, timeout: Duration, metadata: RPCMetadata = .empty,
        seed: UInt64
    ) throws(ProgramFailure) {
        self.schema = schema
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
            if method.streamsRequests {
                throw ProgramFailure(
                    "\(method.fullName) takes a stream; a load calls methods that take one request",
                    status: .usage)
            }
            methods.append(
                Method(
                    method: method, rpc: method.rpc(), weight: entry.weight,
                    timeout: entry.timeout?.duration ?? timeout,
                    requests: try Self.requests(entry.request, of: method, schema, seed)))
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
        var requests: [Request] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated() where line.contains(where: { !$0.isWhitespace })
        {
            do { requests.append(try request(String(line), of: method, schema, seed)) } catch {
                throw ProgramFailure("\(file):\(number + 1): \(error)", status: error.status)
            }
        }
        if requests.isEmpty || requests.count > maxRequests {
            throw ProgramFailure(
                "\(file) has \(requests.count) requests; allowed: 1 to \(maxRequests)",
                status: .dataError)
        }
        return requests
    }

    /// Checks a request by encoding that of the first call.
    private static func request(
        _ text: String, of method: DynamicMethod, _ schema: DynamicSchema, _ seed: UInt64
    ) throws(ProgramFailure) -> Request {
        let template = try LoadTemplate(text)
        var values = LoadValues(sequence: 0, seed: seed)
        let encoded = try DynamicCall.encoded(template.text(&values), of: method, in: schema)
        return template.isConstant ? .encoded(encoded) : .template(template)
    }

    /// Returns the request of a call.
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
