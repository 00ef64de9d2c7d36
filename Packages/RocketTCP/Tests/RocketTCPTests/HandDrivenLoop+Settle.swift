import RocketReactor
import RocketReactorTestKit

extension HandDrivenLoop {
    /// Ticks until nothing moves: what one tick's end sends arrives in the next, so a single
    /// idle tick proves nothing.
    func settle() {
        var idle = 0
        for _ in 0..<10_000 where idle < 3 { idle = tick().isIdle ? idle + 1 : 0 }
    }
}
