/// Signature of the function that handles one method.
package struct HandlerSignature {
    private let method: MethodModel
    private let controller: String
    private let messageStream: String
    private let writer: String

    init(_ method: MethodModel, _ names: RuntimeNames) {
        self.init(
            method, controller: names.controller, messageStream: names.messageStream,
            writer: names.writer)
    }

    /// - Parameters:
    ///   - controller: the name of RocketRPC's `RPCController`.
    ///   - messageStream: the name of RocketRPC's `RPCMessageStream`.
    ///   - writer: the name of RocketRPC's `RPCWriter`.
    package init(_ method: MethodModel, controller: String, messageStream: String, writer: String) {
        self.method = method
        self.controller = controller
        self.messageStream = messageStream
        self.writer = writer
    }

    /// The parameters: the request or the stream of requests, the writer of streamed responses, the
    /// controller.
    package var parameters: [String] {
        let request =
            method.kind.streamsRequests
            ? "_ requests: \(messageStream)<\(method.request)>" : "_ request: \(method.request)"
        let responses =
            method.kind.streamsResponses ? ["_ responses: \(writer)<\(method.response)>"] : []
        return [request] + responses + ["_ call: \(controller)"]
    }

    /// The names of the parameters, for a closure or a call that passes them on.
    package var arguments: [String] {
        [method.kind.streamsRequests ? "requests" : "request"]
            + (method.kind.streamsResponses ? ["responses"] : []) + ["call"]
    }

    /// The result, after ` async throws`; empty where the responses are streamed.
    package var result: String { method.kind.streamsResponses ? "" : " -> \(method.response)" }
}
