module release-system

go 1.22

require shiplog v0.0.0

replace shiplog => ../../clients/go
