import RocketSystem

