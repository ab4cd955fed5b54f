module medfab/container

go 1.24
