import RocketBase
import RocketRPC

struct Greetings: GreeterService {
    func hello(_ request: HelloRequest, _ call: RPCController) async throws -> HelloResponse {
        var response = HelloResponse()
        response.text = "Hello, \(request.name)!"
        return response
    }
}

func serve() async throws {
    let config = try RocketConfig(contentsOf: "conf/rocket.xml")
    try await RPCServer(config: config, services: [Greetings()]).run()
}

func greet() async throws {
    let greeter = GreeterClient(try RPCChannel(to: "127.0.0.1:12345", config: RocketConfig()))
    var request = HelloRequest()
    request.name = "Ada"
    print(try await greeter.hello(request, timeout: .seconds(1)).text)
}
