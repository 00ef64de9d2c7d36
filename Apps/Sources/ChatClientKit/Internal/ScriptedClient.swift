import RocketReactor
import RocketSystem

/// A chat client without a terminal: sends the lines of standard input and prints what arrives.
/// Bound to its loop; lives until it is over.
final class ScriptedClient {
    private let conductor: ChatConductor
    private let reactor: Reactor
    private let finish: (String?) -> Void

    init(
        _ settings: ChatConductor.Settings, on reactor: Reactor,
        finish: @escaping (String?) -> Void
    ) {
        self.reactor = reactor
        self.finish = finish
        conductor = ChatConductor(settings, screen: LineScreen(), on: reactor, finish: finish)
    }

    func start() {
        let bound = LoopBound(conductor, on: reactor)
        let input: InputThread
        do {
            input = try InputThread(on: reactor.loop) { bound.get().received(input: $0) }
        } catch { return finish("\(error)") }
        conductor.onWantsInput = { input.ask() }
        conductor.start()
    }
}
