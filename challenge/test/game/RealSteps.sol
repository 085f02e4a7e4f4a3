// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AddStep} from "../../src/step/AddStep.sol";
import {ArgmaxStep} from "../../src/step/ArgmaxStep.sol";
import {CompareStep} from "../../src/step/CompareStep.sol";
import {ConvStep} from "../../src/step/ConvStep.sol";
import {DivideStep} from "../../src/step/DivideStep.sol";
import {GatherStep} from "../../src/step/GatherStep.sol";
import {IsqrtStep} from "../../src/step/IsqrtStep.sol";
import {LookupStep} from "../../src/step/LookupStep.sol";
import {MatmulStep} from "../../src/step/MatmulStep.sol";
import {MaxStep} from "../../src/step/MaxStep.sol";
import {MulStep} from "../../src/step/MulStep.sol";
import {RearrangeStep} from "../../src/step/RearrangeStep.sol";
import {Steps} from "../../src/step/Steps.sol";
import {SumStep} from "../../src/step/SumStep.sol";

/// @title The thirteen operators behind their router, as they are deployed.
library RealSteps {
    function deploy() internal returns (Steps) {
        address[13] memory all;
        all[0] = address(new MatmulStep());
        all[1] = address(new ConvStep());
        all[2] = address(new AddStep());
        all[3] = address(new MulStep());
        all[4] = address(new SumStep());
        all[5] = address(new MaxStep());
        all[6] = address(new LookupStep());
        all[7] = address(new DivideStep());
        all[8] = address(new IsqrtStep());
        all[9] = address(new CompareStep());
        all[10] = address(new ArgmaxStep());
        all[11] = address(new GatherStep());
        all[12] = address(new RearrangeStep());
        return new Steps(all);
    }
}
